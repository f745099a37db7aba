-- At every telling it is asked how much one teller told, and how much has words; beyond the bound, whose is the most.
DROP INDEX sightings_teller;
CREATE INDEX sightings_told ON sightings (teller, received, key, change) WHERE body <> '';
CREATE INDEX sightings_silenced ON sightings (key) WHERE body = '';
