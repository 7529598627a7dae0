-- The thirteen questions of the fleet workload in SQL, as PostgreSQL answers them: a second implementation to be held against.
-- Tables: readings and diagnostics as reported (time in ns, tags as texts, empty ones NULL); trucks: of each truck the newest
-- value of every tag. psql sets :fleet and :truck (texts), :from and :to (ns). The newest of a column is its newest value that is not NULL.

-- name: last-loc
SELECT t.name, t.driver, a.longitude, b.latitude FROM trucks t
LEFT JOIN LATERAL (SELECT longitude FROM readings r WHERE r.name = t.name AND longitude IS NOT NULL ORDER BY time DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (SELECT latitude FROM readings r WHERE r.name = t.name AND latitude IS NOT NULL ORDER BY time DESC LIMIT 1) b ON true
WHERE t.fleet = :'fleet' ORDER BY 1;

-- name: single-last-loc
SELECT t.name, t.driver, a.longitude, b.latitude FROM trucks t
LEFT JOIN LATERAL (SELECT longitude FROM readings r WHERE r.name = t.name AND longitude IS NOT NULL ORDER BY time DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (SELECT latitude FROM readings r WHERE r.name = t.name AND latitude IS NOT NULL ORDER BY time DESC LIMIT 1) b ON true
WHERE t.name = :'truck';

-- name: low-fuel
SELECT t.name, t.driver, d.fuel_state FROM trucks t
JOIN LATERAL (SELECT fuel_state FROM diagnostics d WHERE d.name = t.name AND fuel_state IS NOT NULL ORDER BY time DESC LIMIT 1) d ON d.fuel_state < 0.1
WHERE t.fleet = :'fleet' ORDER BY 1;

-- name: high-load
SELECT t.name, t.driver, d.current_load, t.load_capacity::float8 FROM trucks t
JOIN LATERAL (SELECT current_load FROM diagnostics d WHERE d.name = t.name AND current_load IS NOT NULL ORDER BY time DESC LIMIT 1) d
  ON d.current_load / t.load_capacity::float8 > 0.9
WHERE t.fleet = :'fleet' ORDER BY 1;

-- name: stationary-trucks
SELECT t.name, t.driver, avg(r.velocity) FROM trucks t JOIN readings r ON r.name = t.name
WHERE t.fleet = :'fleet' AND r.time >= :from AND r.time < :to GROUP BY 1, 2 HAVING avg(r.velocity) < 1 ORDER BY 1;

-- name: long-driving-sessions
SELECT t.name, t.driver, count(*) FROM trucks t
JOIN (SELECT name, time / 600000000000 FROM readings WHERE time >= :from AND time < :to GROUP BY 1, 2 HAVING avg(velocity) > 1) w ON w.name = t.name
WHERE t.fleet = :'fleet' GROUP BY 1, 2 HAVING count(*) > 22 ORDER BY 1;

-- name: long-daily-sessions
SELECT t.name, t.driver, count(*) FROM trucks t
JOIN (SELECT name, time / 600000000000 FROM readings WHERE time >= :from AND time < :to GROUP BY 1, 2 HAVING avg(velocity) > 1) w ON w.name = t.name
WHERE t.fleet = :'fleet' GROUP BY 1, 2 HAVING count(*) > 60 ORDER BY 1;

-- name: avg-vs-projected-fuel-consumption
SELECT t.fleet, avg(r.fuel_consumption), avg(t.nominal_fuel_consumption::float8) FROM trucks t JOIN readings r ON r.name = t.name
WHERE r.velocity > 1 AND r.fuel_consumption IS NOT NULL AND t.fleet IS NOT NULL GROUP BY 1 ORDER BY 1;

-- name: avg-daily-driving-duration
SELECT fleet, name, driver, avg(hours) FROM (
  SELECT t.fleet, t.name, t.driver, w.slice / 144 AS day, count(*) / 6.0 AS hours FROM trucks t
  JOIN (SELECT name, time / 600000000000 AS slice FROM readings GROUP BY 1, 2 HAVING avg(velocity) > 1) w ON w.name = t.name GROUP BY 1, 2, 3, 4) d
GROUP BY 1, 2, 3 ORDER BY 2;

-- name: avg-daily-driving-session
SELECT name, start / 144 AS day, avg(stop - start) * 600 AS seconds FROM (
  SELECT name, driving, slice AS start, lead(slice) OVER (PARTITION BY name ORDER BY slice) AS stop FROM (
    SELECT name, slice, driving, lag(driving) OVER (PARTITION BY name ORDER BY slice) AS before FROM (
      SELECT name, time / 600000000000 AS slice, avg(velocity) > 5 AS driving FROM readings
      WHERE name IS NOT NULL AND velocity IS NOT NULL GROUP BY 1, 2) s) c
  WHERE driving <> before) d
WHERE driving AND stop IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2;

-- name: avg-load
SELECT t.fleet, t.model, avg(d.load / t.load_capacity::float8) FROM trucks t
JOIN (SELECT name, avg(current_load) AS load FROM diagnostics GROUP BY 1) d ON d.name = t.name GROUP BY 1, 2 ORDER BY 1, 2;

-- name: daily-activity
SELECT t.fleet, t.model, w.slice / 144 AS day, sum(w.rows) / 144.0 FROM trucks t
JOIN (SELECT name, time / 600000000000 AS slice, count(*) AS rows FROM diagnostics GROUP BY 1, 2 HAVING avg(status) < 1) w ON w.name = t.name
GROUP BY 1, 2, 3 ORDER BY 3, 1, 2;

-- name: breakdown-frequency
SELECT t.model, count(*) FROM trucks t JOIN (
  SELECT name, broken, lag(broken) OVER (PARTITION BY name ORDER BY slice) AS before FROM (
    SELECT name, time / 600000000000 AS slice, count(*) FILTER (WHERE status = 0) >= 0.5 * count(*) AS broken FROM diagnostics
    WHERE name IS NOT NULL GROUP BY 1, 2) s) b ON b.name = t.name
WHERE b.broken AND NOT b.before GROUP BY 1 ORDER BY 1;
