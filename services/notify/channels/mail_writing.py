"""A mail as it stands on the wire, with the headers that are written here and no others."""

import unicodedata
from email.errors import HeaderParseError
from email.header import Header, decode_header, make_header
from email.headerregistry import Address, AddressHeader
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any

from typing_extensions import override

from services.notify.domain.deliveries import Outgoing
from shared.errors import Rejected

LANGUAGES = {"zh": "zh-CN", "en": "en"}
_HEADERS = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
)


class UnsafeMail(Rejected):
    """The mail would carry a header that we did not write."""

    code = "unsafe-mail"


class _ExactPolicy(EmailPolicy):
    """Writes Chinese headers whole: the library's own folding loses a space wherever it breaks a line at one."""

    @override
    def fold_binary(self, name: str, value: Any) -> bytes:
        if str(value).isascii():
            return super().fold_binary(name, value)
        if isinstance(value, AddressHeader):
            [address] = value.addresses
            text = f"{self._encode(name, address.display_name)} <{address.addr_spec}>"
        else:
            text = self._encode(name, str(value))
        return f"{name}: {text}{self.linesep}".encode("ascii")

    def _encode(self, name: str, text: str) -> str:
        return Header(text, "utf-8", header_name=name).encode(linesep=self.linesep)


_EXACT = _ExactPolicy(linesep="\r\n")


def build_message(mail: Outgoing, sender: Address) -> bytes:
    """Raises UnsafeMail unless the headers are exactly those that are written here."""
    message = EmailMessage(policy=_EXACT)
    try:
        for text in (mail.subject, mail.recipient_name):
            _check_decoded(text)
        message["From"] = sender
        message["To"] = Address(display_name=mail.recipient_name, addr_spec=mail.address)
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(mail.composed_at)
        message["Message-ID"] = mail.message_id
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text_body, cte="base64")
        message.add_alternative(mail.html_body, subtype="html", cte="base64")
        message.set_boundary(f"=_{mail.delivery_id.hex}")
        message["Content-Language"] = LANGUAGES[mail.language]
        content = message.as_bytes()
    except (ValueError, LookupError, HeaderParseError):
        raise UnsafeMail("a header of the mail cannot be written") from None
    # What left the serialiser is read back and counted, whatever this release of Python made of it.
    written = BytesHeaderParser().parsebytes(content).keys()
    if sorted(written) != sorted(_HEADERS) or len(list(message["To"].addresses)) != 1:
        raise UnsafeMail("the mail would carry a header that was not written here")
    return content


def _check_decoded(text: str) -> None:
    """Raises UnsafeMail for encoded words that hide a line break: some Pythons write it out (CVE-2024-6923)."""
    if any(unicodedata.category(character) == "Cc" for character in str(make_header(decode_header(text)))):
        raise UnsafeMail("a header of the mail would hide a control character")
