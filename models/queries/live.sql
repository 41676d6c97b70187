-- What happened to many resources after a version of each, the n-th of each list making one question: the version now,
-- the row if that is another one, and the hull of where the timeline changed in between, from the outbox. `whole` is false when the outbox can not tell:
-- rows are forgotten after some days, `after` is no version of this resource, or too much has happened since ($4).
SELECT a.position::int, r.version, CASE WHEN r.version <> a.after THEN to_jsonb(r) END AS resource, o.starts_at, o.ends_at, coalesce(o.versions = r.version - a.after, false) AS whole
  FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) WITH ORDINALITY AS a (organization_id, resource_id, after, position)
  JOIN resource r ON r.organization_id = a.organization_id AND r.id = a.resource_id
  LEFT JOIN LATERAL (
    SELECT count(*) AS versions, min(c.starts_at) AS starts_at,
           CASE WHEN bool_or(c.ends_at IS NULL) THEN NULL ELSE max(c.ends_at) END AS ends_at
      FROM outbox c
     WHERE c.organization_id = a.organization_id AND c.kind = 'RESOURCE' AND c.entity_id = a.resource_id
       AND c.version > a.after AND c.version <= r.version
  ) o ON a.after >= 0 AND r.version - a.after BETWEEN 1 AND $4
