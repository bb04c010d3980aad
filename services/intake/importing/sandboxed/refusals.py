"""Why a file is not read. Only the code leaves the process; the sentence for it stands outside."""


class Refused(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
