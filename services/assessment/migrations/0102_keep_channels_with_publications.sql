-- By which channels the issues of a cadre came that a publication counts; of organisations, and of what was published before, none.
ALTER TABLE publication ADD COLUMN channels jsonb CHECK (jsonb_typeof(channels) = 'object');
