-- The queue of signals is narrowed by check, organisation and cadre, too. At 100,000 that wait a page of one cadre or unit read
-- them all; how many wait of each check is counted on signal_check alone, with what row security asks of each. The date has
-- signal_queue.
CREATE INDEX signal_check ON signal (state, check_name, found_at, signal_id) INCLUDE (staff_number, organisation_id);
CREATE INDEX signal_organisation ON signal (organisation_id, state, found_at, signal_id);
CREATE INDEX signal_staff_number ON signal (staff_number, state);
