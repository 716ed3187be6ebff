-- One construct of Flink 2.3 a paragraph, headed "--: name [flags]". Its last statement is the one
-- that counts; those before it prepare it. {n} is the paragraph's number, {dir} the folder of the
-- files. Flags: ~ rows are not compared; client: Flink's SQL client does it, not executeSql;
-- nojar: Flink does it with a jar that PyPI's build lacks; no: Flink refuses it.

--## fixture
CREATE TABLE lone (i INT, s STRING, d DECIMAL(10, 2), t TIMESTAMP(3), n INT, z STRING, pt AS PROCTIME()) WITH ({file:lone});
CREATE TABLE ev (id INT, k STRING, v INT, p DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ({file:ev});
CREATE TABLE evp (id INT, k STRING, v INT, p DECIMAL(10, 2), ts TIMESTAMP(3), pt AS PROCTIME()) WITH ({file:ev});
CREATE TABLE pay (oid INT, k STRING, amt INT, pts TIMESTAMP(3), WATERMARK FOR pts AS pts - INTERVAL '2' SECOND) WITH ({file:pay});
CREATE TABLE dim (k STRING, name STRING) WITH ({file:dim});
CREATE TABLE rates (cur STRING, rate DECIMAL(6, 3), rts TIMESTAMP(3), WATERMARK FOR rts AS rts) WITH ({file:rates});
CREATE TABLE nest (id INT, arr ARRAY<INT>, m MAP<STRING, INT>, r ROW<x INT, y STRING>, rs ARRAY<ROW<a INT, b STRING>>) WITH ({file:nest});
CREATE TABLE ticks (sym STRING, price INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ({file:ticks});
CREATE TABLE neg (x INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ({file:neg});
CREATE TABLE chg (id INT, op STRING, v INT) WITH ({file:chg});

--## DDL: tables
--: create table, comments
CREATE TABLE a{n} (x INT COMMENT 'it''s x', y STRING NOT NULL) COMMENT 'c' WITH ({file:lone});
--: create temporary table if not exists
CREATE TEMPORARY TABLE IF NOT EXISTS a{n} (x INT) WITH ('connector' = 'blackhole');
--: computed column
CREATE TABLE a{n} (i INT, j AS i * 2) WITH ({file:lone});
SELECT j FROM a{n};
--: metadata column ~
CREATE TABLE a{n} (i INT, f STRING NOT NULL METADATA FROM 'file.name' VIRTUAL) WITH ({file:lone});
SELECT i, f FROM a{n};
--: watermark on nested field expression
CREATE TABLE a{n} (t TIMESTAMP(3), u AS CAST(t AS TIMESTAMP(3)), WATERMARK FOR u AS u - INTERVAL '1' MINUTE) WITH ({file:lone});
SELECT u FROM a{n};
--: primary key not enforced
CREATE TABLE a{n} (i INT, s STRING, PRIMARY KEY (i) NOT ENFORCED) WITH ({file:lone});
--: constraint named primary key
CREATE TABLE a{n} (i INT, CONSTRAINT pk PRIMARY KEY (i) NOT ENFORCED) WITH ({file:lone});
--: partitioned by
CREATE TABLE a{n} (i INT, s STRING) PARTITIONED BY (s) WITH ({file:none});
--: distributed by
CREATE TABLE a{n} (i INT, s STRING) DISTRIBUTED BY HASH (i) INTO 4 BUCKETS WITH ('connector' = 'blackhole');
--: like
CREATE TABLE a{n} (extra AS i + 1) LIKE lone;
SELECT i, extra FROM a{n};
--: like excluding, overwriting options
CREATE TABLE a{n} WITH ('connector' = 'blackhole') LIKE ev (EXCLUDING OPTIONS EXCLUDING WATERMARKS);
--: create table as select
CREATE TABLE a{n} WITH ({out:a{n}}) AS SELECT id, k FROM ev WHERE id < 3;
--: create or replace table as ~
CREATE OR REPLACE TABLE a{n} WITH ('connector' = 'blackhole') AS SELECT id FROM ev;
--: default value no
CREATE TABLE a{n} (i INT DEFAULT 3) WITH ('connector' = 'blackhole');
--: unique no
CREATE TABLE a{n} (i INT UNIQUE) WITH ('connector' = 'blackhole');
--: enforced primary key no
CREATE TABLE a{n} (i INT PRIMARY KEY) WITH ('connector' = 'blackhole');
--: drop table if exists
DROP TABLE IF EXISTS nothing{n};
--: drop temporary table
CREATE TEMPORARY TABLE a{n} (x INT) WITH ('connector' = 'blackhole');
DROP TEMPORARY TABLE a{n};
--: drop what is not there no
DROP TABLE nothing{n};
--: create materialized table ~ nojar
CREATE MATERIALIZED TABLE a{n} FRESHNESS = INTERVAL '1' MINUTE AS SELECT k, COUNT(*) AS c FROM ev GROUP BY k;

--## DDL: alter
--: alter table rename
CREATE TABLE a{n} (x INT) WITH ('connector' = 'blackhole');
ALTER TABLE a{n} RENAME TO b{n};
--: alter table set
CREATE TABLE a{n} (x INT) WITH ('connector' = 'print');
ALTER TABLE a{n} SET ('print-identifier' = 'x');
--: alter table reset
CREATE TABLE a{n} (x INT) WITH ('connector' = 'print', 'print-identifier' = 'x');
ALTER TABLE a{n} RESET ('print-identifier');
--: alter table add column
CREATE TABLE a{n} (x INT) WITH ('connector' = 'blackhole');
ALTER TABLE a{n} ADD (y STRING FIRST, z AS x + 1);
--: alter table modify column
CREATE TABLE a{n} (x INT, y INT) WITH ('connector' = 'blackhole');
ALTER TABLE a{n} MODIFY x BIGINT COMMENT 'wide' AFTER y;
--: alter table drop column
CREATE TABLE a{n} (x INT, y INT) WITH ('connector' = 'blackhole');
ALTER TABLE a{n} DROP y;
--: alter table rename column
CREATE TABLE a{n} (x INT, y INT) WITH ('connector' = 'blackhole');
ALTER TABLE a{n} RENAME y TO q;
--: alter table add watermark
CREATE TABLE a{n} (x INT, t TIMESTAMP(3)) WITH ('connector' = 'blackhole');
ALTER TABLE a{n} ADD WATERMARK FOR t AS t - INTERVAL '5' SECOND;
--: alter table drop watermark
CREATE TABLE a{n} (t TIMESTAMP(3), WATERMARK FOR t AS t) WITH ('connector' = 'blackhole');
ALTER TABLE a{n} DROP WATERMARK;
--: alter table add primary key
CREATE TABLE a{n} (x INT NOT NULL) WITH ('connector' = 'blackhole');
ALTER TABLE a{n} ADD PRIMARY KEY (x) NOT ENFORCED;
--: alter view rename
CREATE VIEW a{n} AS SELECT 1 AS x;
ALTER VIEW a{n} RENAME TO b{n};
--: alter view as
CREATE VIEW a{n} AS SELECT 1 AS x;
ALTER VIEW a{n} AS SELECT 2 AS x;
--: alter database set
CREATE DATABASE d{n};
ALTER DATABASE d{n} SET ('a' = 'b');

--## DDL: views, databases, catalogs, functions, models
--: create view with columns, comment
CREATE VIEW a{n} (p, q) COMMENT 'v' AS SELECT id, k FROM ev;
SELECT p, q FROM a{n};
--: create temporary view if not exists
CREATE TEMPORARY VIEW IF NOT EXISTS a{n} AS SELECT id FROM ev;
--: view over view
CREATE VIEW a{n} AS SELECT k, COUNT(*) AS c FROM ev GROUP BY k;
CREATE VIEW b{n} AS SELECT MAX(c) AS m FROM a{n};
SELECT m FROM b{n};
--: drop view
CREATE VIEW a{n} AS SELECT 1 AS x;
DROP VIEW a{n};
--: create database if not exists, comment
CREATE DATABASE IF NOT EXISTS d{n} COMMENT 'c' WITH ('k' = 'v');
--: drop database cascade
CREATE DATABASE d{n};
DROP DATABASE d{n} CASCADE;
--: create catalog
CREATE CATALOG c{n} WITH ('type' = 'generic_in_memory');
--: drop catalog
CREATE CATALOG c{n} WITH ('type' = 'generic_in_memory');
DROP CATALOG c{n};
--: use database, qualified names
CREATE DATABASE d{n};
USE d{n};
CREATE TABLE a{n} (x INT) WITH ('connector' = 'blackhole');
USE `default_database`;
INSERT INTO `default_catalog`.`d{n}`.`a{n}` SELECT id FROM ev;
--: use catalog
USE CATALOG default_catalog;
--: create function language java nojar
CREATE TEMPORARY FUNCTION f{n} AS 'com.example.F' LANGUAGE JAVA;
--: create temporary function language python ~
CREATE TEMPORARY FUNCTION f{n} AS 'probe_udf.twice' LANGUAGE PYTHON;
--: create function language python ~
CREATE FUNCTION IF NOT EXISTS f{n} AS 'probe_udf.twice' LANGUAGE PYTHON;
--: call a python scalar function ~ nojar
CREATE TEMPORARY FUNCTION f{n} AS 'probe_udf.twice' LANGUAGE PYTHON;
SELECT f{n}(i) FROM lone;
--: drop function
DROP TEMPORARY FUNCTION IF EXISTS nothing{n};
--: create model ~
CREATE MODEL m{n} INPUT (x INT) OUTPUT (y INT) WITH ('provider' = 'openai', 'task' = 'classification');

--## SHOW, DESCRIBE, EXPLAIN
--: show tables ~
SHOW TABLES;
--: show tables from like ~
SHOW TABLES FROM `default_catalog`.`default_database` LIKE 'e%';
--: show tables not like ~
SHOW TABLES NOT LIKE 'a%';
--: show views ~
SHOW VIEWS;
--: show databases ~
SHOW DATABASES;
--: show catalogs like ~
SHOW CATALOGS LIKE 'default%';
--: show current catalog ~
SHOW CURRENT CATALOG;
--: show current database ~
SHOW CURRENT DATABASE;
--: show columns from ~
SHOW COLUMNS FROM ev;
--: show columns like ~
SHOW COLUMNS FROM ev LIKE 't%';
--: show create table ~
SHOW CREATE TABLE ev;
--: show create view ~
CREATE VIEW a{n} AS SELECT id FROM ev;
SHOW CREATE VIEW a{n};
--: show create catalog ~
CREATE CATALOG c{n} WITH ('type' = 'generic_in_memory');
SHOW CREATE CATALOG c{n};
--: show functions ~
SHOW FUNCTIONS;
--: show user functions ~
SHOW USER FUNCTIONS;
--: show full modules ~
SHOW FULL MODULES;
--: show partitions ~
CREATE TABLE a{n} (i INT, s STRING) PARTITIONED BY (s) WITH ({file:none});
SHOW PARTITIONS a{n};
--: show models ~
SHOW MODELS;
--: show jars ~ client
SHOW JARS;
--: show jobs ~ client
SHOW JOBS;
--: describe ~
DESCRIBE ev;
--: desc extended ~
DESC EXTENDED ev;
--: describe catalog ~
CREATE CATALOG c{n} WITH ('type' = 'generic_in_memory');
DESCRIBE CATALOG c{n};
--: describe function ~
DESCRIBE FUNCTION EXTENDED BTRIM;
--: explain ~
EXPLAIN SELECT k, COUNT(*) FROM ev GROUP BY k;
--: explain plan for ~
EXPLAIN PLAN FOR SELECT 1;
--: explain changelog mode ~
EXPLAIN CHANGELOG_MODE, ESTIMATED_COST SELECT k, COUNT(*) FROM ev GROUP BY k;
--: explain json execution plan ~
EXPLAIN JSON_EXECUTION_PLAN SELECT k FROM ev;
--: explain plan advice ~
EXPLAIN PLAN_ADVICE SELECT k FROM ev;
--: explain insert ~
CREATE TABLE a{n} (x INT) WITH ('connector' = 'blackhole');
EXPLAIN INSERT INTO a{n} SELECT id FROM ev;
--: explain statement set ~
CREATE TABLE a{n} (x INT) WITH ('connector' = 'blackhole');
EXPLAIN STATEMENT SET BEGIN INSERT INTO a{n} SELECT id FROM ev; INSERT INTO a{n} SELECT v FROM ev; END;

--## session, jobs, modules
--: set client
SET 'table.local-time-zone' = 'UTC';
--: set without quotes client
SET table.local-time-zone = UTC;
--: set alone ~ client
SET;
--: reset client
RESET 'table.exec.state.ttl';
--: reset all client
RESET;
--: begin statement set ~ client
CREATE TABLE a{n} (x INT) WITH ('connector' = 'blackhole');
BEGIN STATEMENT SET; INSERT INTO a{n} SELECT id FROM ev; INSERT INTO a{n} SELECT v FROM ev; END;
--: execute statement set ~
CREATE TABLE a{n} (x INT) WITH ('connector' = 'blackhole');
EXECUTE STATEMENT SET BEGIN INSERT INTO a{n} SELECT id FROM ev; INSERT INTO a{n} SELECT v FROM ev; END;
--: execute select ~
EXECUTE SELECT 1;
--: load, unload module ~ nojar
LOAD MODULE hive;
--: use modules ~
USE MODULES core;
--: add jar ~ client
ADD JAR '/tmp/x.jar';
--: compile plan ~
CREATE TABLE a{n} (x INT) WITH ('connector' = 'blackhole');
COMPILE PLAN '{dir}/plan{n}.json' FOR INSERT INTO a{n} SELECT id FROM ev;
--: analyze table ~ no
ANALYZE TABLE ev COMPUTE STATISTICS;
--: stop a job that is not there ~ no
STOP JOB '228d70913eab60dda85c5e7f78b5782c' WITH SAVEPOINT;

--## INSERT
--: insert select ~
CREATE TABLE a{n} (x INT, y STRING) WITH ('connector' = 'blackhole');
INSERT INTO a{n} SELECT id, k FROM ev;
--: insert columns
CREATE TABLE a{n} (x INT, y STRING) WITH ({out:a{n}});
INSERT INTO a{n} (y, x) SELECT k, id FROM ev;
--: insert values
CREATE TABLE a{n} (x INT, y STRING) WITH ({out:a{n}});
INSERT INTO a{n} VALUES (1, 'a'), (2, CAST(NULL AS STRING));
--: insert static partition
CREATE TABLE a{n} (x INT, y STRING) PARTITIONED BY (y) WITH ({out:a{n}});
INSERT INTO a{n} PARTITION (y = 'q') SELECT id FROM ev;
--: insert overwrite no
CREATE TABLE a{n} (x INT) WITH ({out:a{n}});
INSERT OVERWRITE a{n} SELECT id FROM ev;
--: insert updates into append-only sink no
CREATE TABLE a{n} (k STRING, c BIGINT) WITH ({out:a{n}});
INSERT INTO a{n} SELECT k, COUNT(*) FROM ev GROUP BY k;
--: insert updates into print ~
CREATE TABLE a{n} (k STRING, c BIGINT) WITH ('connector' = 'print');
INSERT INTO a{n} SELECT k, COUNT(*) FROM ev GROUP BY k;
--: insert on conflict ~
CREATE TABLE a{n} (k STRING, c BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'blackhole');
INSERT INTO a{n} SELECT k, COUNT(*) FROM ev WHERE k IS NOT NULL GROUP BY k ON CONFLICT DO DEDUPLICATE;
--: merge no
MERGE INTO dim USING ev ON dim.k = ev.k WHEN MATCHED THEN UPDATE SET name = 'x';
--: update, delete no
DELETE FROM dim WHERE k = 'a';

--## types and casts
--: all simple types declared ~
CREATE TABLE a{n} (a BOOLEAN, b TINYINT, c SMALLINT, d INTEGER, e BIGINT, f FLOAT, g DOUBLE PRECISION, h DECIMAL, i NUMERIC(38, 18), j CHAR(3), k VARCHAR(9), l STRING, m BINARY(2), n VARBINARY(9), o BYTES, p DATE, q TIME(0), r TIMESTAMP(9) WITHOUT TIME ZONE, s TIMESTAMP_LTZ(3), t TIMESTAMP(3) WITH LOCAL TIME ZONE) WITH ('connector' = 'blackhole');
--: interval columns no
CREATE TABLE a{n} (a INTERVAL DAY(3) TO SECOND(3), b INTERVAL YEAR TO MONTH) WITH ('connector' = 'blackhole');
--: array, map, multiset, row types ~
CREATE TABLE a{n} (a ARRAY<INT NOT NULL>, b INT ARRAY, c MAP<STRING, ARRAY<INT>>, d MULTISET<STRING>, e ROW<x INT 'c', y ROW<z STRING>>, f ROW(q INT)) WITH ('connector' = 'blackhole');
--: variant type ~
CREATE TABLE a{n} (a VARIANT) WITH ('connector' = 'blackhole');
--: structured type ~
CREATE TABLE a{n} (a STRUCTURED<'x.User', name STRING>) WITH ('connector' = 'blackhole');
--: decimal arithmetic scale
SELECT 1.00 / 3, d * d, d / 7, d + 1.23456, CAST(1 AS DECIMAL(38, 10)) / 3, CAST(12345678901234567890 AS DECIMAL(38, 0)) * 10, TYPEOF(d / 7), TYPEOF(d * 1.5), TYPEOF(d % 3) FROM lone;
--: decimal overflow
SELECT CAST(99999999.99 AS DECIMAL(10, 2)) * CAST(99999999.99 AS DECIMAL(10, 2)), CAST(12345.678 AS DECIMAL(5, 2)), CAST(99999999999999999999999999999999999999 AS DECIMAL(38, 0)) + d FROM lone;
--: integer overflow wraps
SELECT 2147483647 + i, CAST(127 AS TINYINT) + CAST(1 AS TINYINT), CAST(i + 3000000000 AS INT), -CAST(-2147483648 AS INT), CAST(9223372036854775807 AS BIGINT) + i FROM lone;
--: integer division and modulo
SELECT 7 / 2, -7 / 2, -7 % 3, 7 / 2.0, 7.0 / 2, i / CAST(2 AS BIGINT), MOD(-7, -3) FROM lone;
--: division by zero no
SELECT i / 0 FROM lone;
--: division by double zero no
SELECT i / 0.0E0 FROM lone;
--: cast number to string
SELECT CAST(1.10 AS STRING), CAST(1E0 AS STRING), CAST(1.0E10 AS STRING), CAST(CAST(0.1 AS FLOAT) AS STRING), CAST(1E-7 AS STRING), CAST(CAST(1E20 AS DOUBLE) AS STRING), CAST(-0.0E0 AS STRING), CAST(123456789.0E0 AS STRING) FROM lone;
--: cast string to number
SELECT CAST(' 12 ' AS INT), CAST('-0' AS INT), CAST('1.9' AS DECIMAL(3, 1)), CAST('1e3' AS DOUBLE), CAST('+5' AS BIGINT), TRY_CAST('1.5' AS INT), TRY_CAST('' AS INT), TRY_CAST('99999999999' AS INT), TRY_CAST('NaN' AS DOUBLE) FROM lone;
--: cast float to integer
SELECT CAST(1.9E0 AS INT), CAST(-1.9E0 AS INT), CAST(1.5 AS INT), CAST(-2.5 AS INT), CAST(1E30 AS INT), CAST(d AS BIGINT), CAST(1.999 AS DECIMAL(3, 2)), CAST(1.995 AS DECIMAL(3, 2)) FROM lone;
--: cast bad string no
SELECT CAST(s AS INT) FROM lone;
--: cast boolean
SELECT CAST('true' AS BOOLEAN), CAST('T' AS BOOLEAN), CAST('0' AS BOOLEAN), CAST('yes' AS BOOLEAN), CAST(0 AS BOOLEAN), CAST(TRUE AS INT), CAST(TRUE AS STRING), CAST(i > 1 AS DECIMAL(3, 1)) FROM lone;
--: cast char pads and cuts
SELECT CAST('ab' AS CHAR(4)) || '|', CAST('abcdef' AS CHAR(3)) || '|', CAST('abcdef' AS VARCHAR(3)), CAST(i AS CHAR(3)) || '|', CAST(s AS VARCHAR(2)) FROM lone;
--: cast timestamps
SELECT CAST(t AS STRING), CAST(t AS DATE), CAST(t AS TIME), CAST(t AS TIMESTAMP(0)), CAST('2023-01-02' AS TIMESTAMP(3)), CAST('2023-01-02 03:04:05.123456' AS TIMESTAMP(6)), CAST(DATE '2023-01-02' AS TIMESTAMP(3)), CAST('03:04:05' AS TIME), CAST(TIMESTAMP '2023-01-02 03:04:05' AS STRING) FROM lone;
--: cast bytes
SELECT CAST('abc' AS BYTES), CAST(X'616263' AS STRING), CAST('ab' AS BINARY(3)), X'00FF' FROM lone;
--: cast to array, row, map text
SELECT CAST(ARRAY[1, n] AS STRING), CAST(ROW(1, 'x', n) AS STRING), CAST(MAP['a', 1] AS STRING), CAST(ARRAY['a'] AS ARRAY<VARCHAR(1)>), CAST(ROW(1, '2') AS ROW<a STRING, b INT>) FROM lone;
--: cast interval text
SELECT CAST(INTERVAL '1 02:03:04.5' DAY TO SECOND AS STRING), CAST(INTERVAL '1-2' YEAR TO MONTH AS STRING), INTERVAL '90' MINUTE FROM lone;
--: timestamp arithmetic, negative times
SELECT TIMESTAMP '1969-12-31 23:59:59.999', FLOOR(TIMESTAMP '1969-12-31 23:59:59.999' TO SECOND), CEIL(TIMESTAMP '1969-12-31 23:59:59.999' TO DAY), EXTRACT(YEAR FROM TIMESTAMP '0001-01-01 00:00:00'), TIMESTAMPDIFF(SECOND, TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '1969-12-31 23:59:58.500'), DATE '1969-12-31' - DATE '1970-01-01' DAY FROM lone;
--: month arithmetic
SELECT DATE '2024-01-31' + INTERVAL '1' MONTH, TIMESTAMP '2024-02-29 10:00:00' + INTERVAL '1' YEAR, TIMESTAMPADD(QUARTER, 1, DATE '2023-11-30'), TIMESTAMPADD(WEEK, -1, t), t + INTERVAL '1:30' HOUR TO MINUTE FROM lone;
--: timestamp minus timestamp
SELECT TIMESTAMPDIFF(HOUR, t, TIMESTAMP '2026-03-30 00:00:00'), (TIMESTAMP '2026-03-30 00:00:00' - t) DAY TO SECOND FROM lone;
--: local time zone client ~
SET 'table.local-time-zone' = 'Europe/Berlin';
SELECT CAST(TO_TIMESTAMP_LTZ(1774747800000, 3) AS STRING), CAST(TO_TIMESTAMP_LTZ(1774747800000, 3) AS TIMESTAMP(3)), CAST(t AS TIMESTAMP_LTZ(3)) FROM lone; SET 'table.local-time-zone' = 'UTC';
--: null handling
SELECT n + 1, n = n, n <> 1, n IS DISTINCT FROM 1, n IS NOT DISTINCT FROM NULL, NULLIF(i, 5), CASE WHEN n > 1 THEN 1 ELSE 2 END, CASE n WHEN NULL THEN 1 ELSE 2 END, n + NULL, n IS NULL FROM lone;
--: row access, array index
SELECT r.x, r.y, arr[1], m['a'], CARDINALITY(arr), rs[1].b FROM nest;
--: implicit coercion
SELECT '1' + 1, i = '5', i || s, 1 = 1.0, COALESCE(i, 2.5) FROM lone;
--: literals
SELECT U&'\00e9', 'it''s', _UTF8'é', 0x1F, 1e3, .5, DATE '2023-01-01', TIME '01:02:03', TIMESTAMP '2023-01-01 00:00:00.123', X'AB' FROM lone;
--: unicode strings
SELECT UPPER('straße'), CHAR_LENGTH('e' || U&'\0301'), SUBSTRING('日本語テキスト', 2, 3), REVERSE('日本'), POSITION('本' IN '日本'), LPAD('日', 3, '本'), '日' < '本', INITCAP('éa öb') FROM lone;
--: like and escapes
SELECT 'a_b' LIKE 'a\_b', 'axb' LIKE 'a\_b', 'a%b' LIKE 'a!%b' ESCAPE '!', 'ab' LIKE 'A_', 'a' || U&'\000A' || 'b' LIKE 'a%b', '' LIKE '%', s NOT LIKE 'x%' FROM lone;
--: json functions on odd input
SELECT JSON_VALUE('bad', '$.a'), JSON_VALUE('{"a":null}', '$.a'), JSON_VALUE('{"a":{"b":1}}', '$.a'), JSON_QUERY('bad', '$'), JSON_VALUE('{"a":"é"}', 'lax $.a'), JSON_EXISTS('bad', '$.a'), JSON_VALUE('{"a b":1}', '$.["a b"]'), JSON_QUERY('{"a":{"z":1,"b":[1, 2]}}', '$.a') FROM lone;
--: json strict path error no
SELECT JSON_VALUE('{"a":1}', 'strict $.b' ERROR ON ERROR) FROM lone;

--## SELECT, set operations, subqueries
--: select without from
SELECT 1 AS x, 'a' AS y;
--: select distinct
SELECT DISTINCT k FROM ev;
--: values as table
SELECT a + 1, b FROM (VALUES (1, 'x'), (2, 'y')) AS t(a, b) WHERE a > 1;
--: values alone
VALUES (1, 'a'), (2, 'b');
--: where on computed alias of subquery
SELECT x FROM (SELECT v * 2 AS x FROM ev) AS q WHERE x > 20;
--: cte, nested
WITH a AS (SELECT id, v FROM ev), b AS (SELECT * FROM a WHERE v > 5) SELECT COUNT(*) FROM b;
--: recursive cte no
WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < 5) SELECT * FROM r;
--: union all
SELECT k FROM ev UNION ALL SELECT k FROM dim;
--: union
SELECT k FROM ev UNION SELECT k FROM dim;
--: intersect
SELECT k FROM ev INTERSECT SELECT k FROM dim;
--: intersect all
SELECT k FROM ev INTERSECT ALL SELECT k FROM dim;
--: except
SELECT k FROM ev EXCEPT SELECT k FROM dim;
--: except all
SELECT k FROM ev EXCEPT ALL SELECT k FROM dim;
--: in subquery
SELECT id FROM ev WHERE k IN (SELECT k FROM dim);
--: not in subquery
SELECT id FROM ev WHERE v NOT IN (SELECT amt FROM pay WHERE amt IS NOT NULL);
--: exists correlated
SELECT id FROM ev WHERE EXISTS (SELECT 1 FROM dim WHERE dim.k = ev.k AND name LIKE 'A%');
--: not exists correlated
SELECT id FROM ev WHERE NOT EXISTS (SELECT 1 FROM dim WHERE dim.k = ev.k);
--: scalar subquery in where
SELECT id FROM ev WHERE v > (SELECT MIN(amt) FROM pay);
--: scalar subquery in select
SELECT id, (SELECT COUNT(*) FROM dim) AS c FROM ev;
--: scalar subquery correlated
SELECT id, (SELECT MAX(amt) FROM pay WHERE pay.k = ev.k) AS m FROM ev;
--: in subquery of several columns
SELECT id FROM ev WHERE (k, v) IN (SELECT k, amt FROM pay);
--: unnest array
SELECT id, e FROM nest CROSS JOIN UNNEST(arr) AS u(e);
--: unnest map
SELECT id, a, b FROM nest CROSS JOIN UNNEST(m) AS u(a, b);
--: unnest with ordinality
SELECT id, e, o FROM nest CROSS JOIN UNNEST(arr) WITH ORDINALITY AS u(e, o);
--: unnest rows
SELECT id, u.a, u.b FROM nest CROSS JOIN UNNEST(rs) AS u(a, b);
--: left join unnest
SELECT id, e FROM nest LEFT JOIN UNNEST(arr) AS u(e) ON TRUE;
--: order by time
SELECT id, ts FROM ev ORDER BY ts;
--: order by limit
SELECT id, v FROM ev ORDER BY v DESC, id LIMIT 3;
--: order by limit, nulls
SELECT id, v FROM ev ORDER BY v ASC NULLS LAST, id LIMIT 8;
--: order by other column no
SELECT id FROM ev ORDER BY v;
--: limit offset
SELECT id FROM ev ORDER BY id LIMIT 3 OFFSET 2;
--: fetch first
SELECT id FROM ev ORDER BY id FETCH FIRST 2 ROWS ONLY;
--: case insensitive keywords, comments, backticks
select /* c */ `id` -- rest
from `ev` where id = 1;
--: double quoted identifier no
SELECT "id" FROM ev;
--: hint options
SELECT COUNT(*) FROM ev /*+ OPTIONS('source.report-statistics' = 'NONE') */ WHERE FALSE IS NOT TRUE;
--: hint options changing rows
SELECT i FROM lone /*+ OPTIONS('json.ignore-parse-errors' = 'true') */;
--: hint state ttl
SELECT /*+ STATE_TTL('a' = '1d', 'b' = '2d') */ a.id FROM ev a JOIN dim b ON a.k = b.k;
--: hint broadcast ~
SELECT /*+ BROADCAST(b) */ a.id FROM ev a JOIN dim b ON a.k = b.k;
--: tablesample no
SELECT * FROM ev TABLESAMPLE SYSTEM(50);
--: star with qualifier
SELECT e.*, 1 AS uno FROM ev AS e WHERE e.id = 1;

--## aggregation
--: group by
SELECT k, COUNT(*), SUM(v), MIN(v), MAX(v), AVG(v) FROM ev GROUP BY k;
--: group by decimals
SELECT k, SUM(p), AVG(p), MAX(p), STDDEV_POP(v), VAR_SAMP(v) FROM ev GROUP BY k;
--: group by expression
SELECT v > 7, COUNT(*) FROM ev GROUP BY v > 7;
--: global aggregate
SELECT COUNT(*), COUNT(v), SUM(v), AVG(p) FROM ev;
--: global aggregate over nothing
SELECT COUNT(*) FROM ev WHERE id > 100;
--: having
SELECT k, COUNT(*) AS c FROM ev GROUP BY k HAVING COUNT(*) > 1;
--: count distinct
SELECT k, COUNT(DISTINCT v), SUM(DISTINCT v) FROM ev GROUP BY k;
--: filter clause
SELECT COUNT(*) FILTER (WHERE v > 7), COUNT(DISTINCT k) FILTER (WHERE v > 7), SUM(v) FILTER (WHERE FALSE) FROM ev;
--: grouping sets
SELECT k, v > 7 AS big, COUNT(*) FROM ev GROUP BY GROUPING SETS ((k, v > 7), (k), ());
--: rollup, cube
SELECT k, id > 4 AS h, COUNT(*), GROUPING(k) FROM ev GROUP BY CUBE (k, id > 4);
--: rollup
SELECT k, id > 4, SUM(v), GROUPING_ID(k, id > 4) FROM ev GROUP BY ROLLUP (k, id > 4);
--: aggregate of aggregate (retraction)
SELECT c, COUNT(*) FROM (SELECT k, COUNT(*) AS c FROM ev GROUP BY k) GROUP BY c;
--: max of retracted
SELECT MAX(c), MIN(c), SUM(c), AVG(c) FROM (SELECT k, COUNT(*) AS c FROM ev GROUP BY k);
--: first and last value
SELECT k, FIRST_VALUE(v), LAST_VALUE(v) FROM ev GROUP BY k;
--: listagg
SELECT k, LISTAGG(CAST(id AS STRING)), LISTAGG(CAST(id AS STRING), '|') FROM ev GROUP BY k;
--: listagg distinct
SELECT LISTAGG(DISTINCT k) FROM ev;
--: array_agg
SELECT k, ARRAY_AGG(v) FROM ev GROUP BY k;
--: array_agg order by
SELECT k, ARRAY_AGG(v ORDER BY id DESC) FROM ev GROUP BY k;
--: collect
SELECT k, COLLECT(v) FROM ev GROUP BY k;
--: percentile
SELECT PERCENTILE(v, 0.5) FROM ev WHERE v < 100;
--: json_arrayagg, json_objectagg
SELECT k, JSON_ARRAYAGG(id), JSON_OBJECTAGG(KEY CAST(id AS STRING) VALUE v) FROM ev WHERE k IS NOT NULL GROUP BY k;
--: group by ordinal no
SELECT k, COUNT(*) FROM ev GROUP BY 1;
--: sum overflow
SELECT SUM(v) FROM ev WHERE k = 'a';
--: distinct of several
SELECT DISTINCT k, v FROM ev;
--: any_value, stddev, variance
SELECT k, STDDEV_SAMP(p), VAR_POP(p), STDDEV_POP(CAST(v AS DOUBLE)) FROM ev GROUP BY k;

--## windows
--: tumble
SELECT window_start, window_end, k, COUNT(*), SUM(v) FROM TABLE(TUMBLE(TABLE ev, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, k;
--: tumble without TABLE()
SELECT window_end, COUNT(*) FROM TUMBLE(TABLE ev, DESCRIPTOR(ts), INTERVAL '10' SECOND) GROUP BY window_start, window_end;
--: tumble named arguments
SELECT window_end, COUNT(*) FROM TABLE(TUMBLE(DATA => TABLE ev, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '10' SECONDS, `OFFSET` => INTERVAL '3' SECONDS)) GROUP BY window_start, window_end;
--: tumble offset, negative
SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE ev, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '-3' SECOND)) GROUP BY window_start, window_end;
--: hop
SELECT window_start, window_end, COUNT(*) FROM TABLE(HOP(TABLE ev, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '15' SECOND)) GROUP BY window_start, window_end;
--: hop size not a multiple of slide no
SELECT window_end, COUNT(*) FROM TABLE(HOP(TABLE ev, DESCRIPTOR(ts), INTERVAL '4' SECOND, INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--: cumulate
SELECT window_start, window_end, COUNT(*), SUM(v) FROM TABLE(CUMULATE(TABLE ev, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '20' SECOND)) GROUP BY window_start, window_end;
--: cumulate keyed
SELECT window_end, k, COUNT(*) FROM TABLE(CUMULATE(TABLE ev, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '30' SECOND)) GROUP BY window_start, window_end, k;
--: session
SELECT window_start, window_end, COUNT(*) FROM TABLE(SESSION(TABLE ev, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY window_start, window_end;
--: session partition by
SELECT window_start, window_end, k, SUM(v) FROM TABLE(SESSION(TABLE ev PARTITION BY k, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY window_start, window_end, k;
--: window without aggregation
SELECT id, window_start, window_end, window_time FROM TABLE(TUMBLE(TABLE ev, DESCRIPTOR(ts), INTERVAL '10' SECOND));
--: window grouping sets
SELECT window_end, k, COUNT(*) FROM TABLE(TUMBLE(TABLE ev, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, GROUPING SETS ((k), ());
--: window rollup, grouping
SELECT window_end, k, id > 4, COUNT(*) FROM TABLE(TUMBLE(TABLE ev, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, ROLLUP (k, id > 4);
--: window distinct, filter
SELECT window_end, COUNT(DISTINCT k), SUM(v) FILTER (WHERE k = 'a') FROM TABLE(TUMBLE(TABLE ev, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--: window cascade by window_time
CREATE VIEW c{n} AS SELECT window_time AS rt, COUNT(*) AS c FROM TABLE(TUMBLE(TABLE ev, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, window_time;
SELECT window_end, SUM(c) FROM TABLE(TUMBLE(TABLE c{n}, DESCRIPTOR(rt), INTERVAL '20' SECOND)) GROUP BY window_start, window_end;
--: window grouped by window_start only
SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE ev, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start;
--: window having
SELECT window_end, k, COUNT(*) AS c FROM TABLE(TUMBLE(TABLE ev, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, k HAVING COUNT(*) > 1;
--: window on processing time ~
SELECT window_end, COUNT(*) FROM TABLE(TUMBLE(TABLE evp, DESCRIPTOR(pt), INTERVAL '1' SECOND)) GROUP BY window_start, window_end;
--: window on a subquery's rows
SELECT window_end, COUNT(*) FROM TABLE(TUMBLE((SELECT * FROM ev WHERE v > 5), DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--: legacy tumble
SELECT TUMBLE_START(ts, INTERVAL '10' SECOND), TUMBLE_END(ts, INTERVAL '10' SECOND), TUMBLE_ROWTIME(ts, INTERVAL '10' SECOND), k, COUNT(*) FROM ev GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND);
--: legacy hop
SELECT HOP_START(ts, INTERVAL '5' SECOND, INTERVAL '10' SECOND), COUNT(*) FROM ev GROUP BY HOP(ts, INTERVAL '5' SECOND, INTERVAL '10' SECOND);
--: legacy session
SELECT SESSION_START(ts, INTERVAL '5' SECOND), SESSION_END(ts, INTERVAL '5' SECOND), k, COUNT(*) FROM ev GROUP BY SESSION(ts, INTERVAL '5' SECOND), k;
--: legacy on processing time ~
SELECT TUMBLE_PROCTIME(pt, INTERVAL '1' SECOND), COUNT(*) FROM evp GROUP BY TUMBLE(pt, INTERVAL '1' SECOND);
--: window over a day, edges before 1970
SELECT window_start, window_end, SUM(x) FROM TABLE(TUMBLE(TABLE neg, DESCRIPTOR(ts), INTERVAL '1' DAY)) GROUP BY window_start, window_end;
--: aggregates in windows
SELECT window_end, AVG(v), AVG(p), MIN(k), LISTAGG(k), FIRST_VALUE(id), LAST_VALUE(id), STDDEV_POP(v) FROM TABLE(TUMBLE(TABLE ev, DESCRIPTOR(ts), INTERVAL '20' SECOND)) GROUP BY window_start, window_end;
--: early fire ~ client
SET 'table.exec.emit.early-fire.enabled' = 'true';
SELECT TUMBLE_END(ts, INTERVAL '10' SECOND), COUNT(*) FROM ev GROUP BY TUMBLE(ts, INTERVAL '10' SECOND); RESET 'table.exec.emit.early-fire.enabled';

--## OVER, Top-N, deduplication
--: over rows preceding
SELECT id, SUM(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM ev;
--: over range preceding
SELECT id, COUNT(*) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW) FROM ev;
--: over unbounded
SELECT id, SUM(v) OVER (ORDER BY ts), AVG(p) OVER (ORDER BY ts) FROM ev;
--: over window clause
SELECT id, SUM(v) OVER w, COUNT(*) OVER w FROM ev WINDOW w AS (PARTITION BY k ORDER BY ts ROWS UNBOUNDED PRECEDING);
--: over processing time
SELECT id, COUNT(*) OVER (ORDER BY pt ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM evp;
--: over rank, lag
SELECT id, LAG(v) OVER (PARTITION BY k ORDER BY ts), LAG(v, 2, 0) OVER (PARTITION BY k ORDER BY ts) FROM ev;
--: over row_number
SELECT id, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts) FROM ev;
--: over ordinary column
SELECT id, SUM(v) OVER (PARTITION BY k ORDER BY id) FROM ev;
--: over following no
SELECT id, SUM(v) OVER (ORDER BY ts ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) FROM ev;
--: top-n
SELECT k, id, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM ev) WHERE rn <= 2;
--: top-n with rank column
SELECT k, id, rn FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY v DESC, id) AS rn FROM ev) WHERE rn <= 3;
--: top-n of an aggregate
SELECT k, c, rn FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY c DESC, k) AS rn FROM (SELECT k, COUNT(*) AS c FROM ev GROUP BY k)) WHERE rn <= 2;
--: deduplicate first row
SELECT id, k FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY pt) AS rn FROM evp) WHERE rn = 1;
--: deduplicate last row, event time
SELECT id, k FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts DESC) AS rn FROM ev) WHERE rn = 1;
--: rank top-n no
SELECT k, id FROM (SELECT *, RANK() OVER (PARTITION BY k ORDER BY v) AS rn FROM ev) WHERE rn <= 2;
--: window top-n
SELECT window_end, k, c FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY c DESC, k) AS rn FROM (SELECT window_start, window_end, k, COUNT(*) AS c FROM TABLE(TUMBLE(TABLE ev, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, k)) WHERE rn <= 2;
--: window deduplication
SELECT window_end, k, id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, k ORDER BY ts DESC) AS rn FROM TABLE(TUMBLE(TABLE ev, DESCRIPTOR(ts), INTERVAL '10' SECOND))) WHERE rn = 1;

--## joins
--: inner join
SELECT ev.id, dim.name FROM ev JOIN dim ON ev.k = dim.k;
--: inner join, null keys
SELECT a.id, b.oid FROM ev a JOIN pay b ON a.k = b.k AND a.v < b.amt;
--: left join
SELECT ev.id, dim.name FROM ev LEFT JOIN dim ON ev.k = dim.k;
--: right join
SELECT ev.id, dim.name FROM ev RIGHT JOIN dim ON ev.k = dim.k;
--: full join
SELECT ev.id, dim.name FROM ev FULL OUTER JOIN dim ON ev.k = dim.k;
--: left join, more in ON
SELECT ev.id, dim.name FROM ev LEFT JOIN dim ON ev.k = dim.k AND ev.v > 7 AND dim.name LIKE 'A%';
--: left join of an aggregate
SELECT dim.name, q.c FROM dim LEFT JOIN (SELECT k, COUNT(*) AS c FROM ev GROUP BY k) q ON dim.k = q.k;
--: join of two aggregates
SELECT a.k, a.c, b.m FROM (SELECT k, COUNT(*) AS c FROM ev GROUP BY k) a JOIN (SELECT k, MAX(amt) AS m FROM pay GROUP BY k) b ON a.k = b.k;
--: aggregate of a left join
SELECT name, COUNT(id) FROM (SELECT dim.name, ev.id FROM dim LEFT JOIN ev ON dim.k = ev.k) GROUP BY name;
--: cross join
SELECT ev.id, dim.name FROM ev CROSS JOIN dim;
--: comma join
SELECT ev.id, dim.name FROM ev, dim WHERE ev.k = dim.k;
--: non-equi join
SELECT a.id, b.oid FROM ev a JOIN pay b ON a.v > b.amt;
--: non-equi left join
SELECT a.id, b.oid FROM ev a LEFT JOIN pay b ON a.v < b.amt;
--: natural join, using
SELECT id, name FROM ev JOIN dim USING (k);
--: join of three
SELECT e.id, d.name, p.amt FROM ev e JOIN dim d ON e.k = d.k LEFT JOIN pay p ON p.oid = e.id;
--: self join
SELECT a.id, b.id FROM ev a JOIN ev b ON a.k = b.k AND a.id < b.id;
--: interval join
SELECT e.id, p.oid FROM ev e JOIN pay p ON e.k = p.k AND p.pts BETWEEN e.ts - INTERVAL '5' SECOND AND e.ts + INTERVAL '10' SECOND;
--: interval left join
SELECT e.id, p.oid FROM ev e LEFT JOIN pay p ON e.k = p.k AND p.pts BETWEEN e.ts AND e.ts + INTERVAL '10' SECOND;
--: interval full join
SELECT e.id, p.oid FROM ev e FULL JOIN pay p ON e.k = p.k AND p.pts BETWEEN e.ts AND e.ts + INTERVAL '10' SECOND;
--: window join
SELECT l.id, r.oid, l.window_end FROM (SELECT * FROM TABLE(TUMBLE(TABLE ev, DESCRIPTOR(ts), INTERVAL '10' SECOND))) l JOIN (SELECT * FROM TABLE(TUMBLE(TABLE pay, DESCRIPTOR(pts), INTERVAL '10' SECOND))) r ON l.k = r.k AND l.window_start = r.window_start AND l.window_end = r.window_end;
--: window left join
SELECT l.id, r.oid, l.window_end FROM (SELECT * FROM TABLE(TUMBLE(TABLE ev, DESCRIPTOR(ts), INTERVAL '10' SECOND))) l LEFT JOIN (SELECT * FROM TABLE(TUMBLE(TABLE pay, DESCRIPTOR(pts), INTERVAL '10' SECOND))) r ON l.k = r.k AND l.window_start = r.window_start AND l.window_end = r.window_end;
--: window semi join
SELECT id FROM (SELECT * FROM TABLE(TUMBLE(TABLE ev, DESCRIPTOR(ts), INTERVAL '10' SECOND))) l WHERE l.k IN (SELECT k FROM (SELECT * FROM TABLE(TUMBLE(TABLE pay, DESCRIPTOR(pts), INTERVAL '10' SECOND))) r WHERE l.window_start = r.window_start AND l.window_end = r.window_end);
--: temporal join on a versioned view
CREATE VIEW r{n} AS SELECT cur, rate, rts FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY cur ORDER BY rts DESC) AS rn FROM rates) WHERE rn = 1;
SELECT e.id, r.rate FROM ev e JOIN r{n} FOR SYSTEM_TIME AS OF e.ts AS r ON e.k = r.cur;
--: temporal left join on a versioned view
CREATE VIEW r{n} AS SELECT cur, rate, rts FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY cur ORDER BY rts DESC) AS rn FROM rates) WHERE rn = 1;
SELECT e.id, r.rate FROM ev e LEFT JOIN r{n} FOR SYSTEM_TIME AS OF e.ts AS r ON e.k = r.cur;
--: lookup join ~ nojar
CREATE TABLE l{n} (k STRING, name STRING) WITH ('connector' = 'jdbc', 'url' = 'jdbc:sqlite:{dir}/l.db', 'table-name' = 'l');
SELECT e.id, d.name FROM evp e JOIN l{n} FOR SYSTEM_TIME AS OF e.pt AS d ON e.k = d.k;
--: lateral subquery
SELECT d.k, x.id FROM dim d, LATERAL (SELECT id FROM ev WHERE ev.k = d.k) AS x;
--: lateral top-n no
SELECT d.k, x.id FROM dim d, LATERAL (SELECT id, v FROM ev WHERE ev.k = d.k ORDER BY v DESC LIMIT 1) AS x;
--: semi join on aggregate
SELECT id FROM ev WHERE k IN (SELECT k FROM pay GROUP BY k HAVING COUNT(*) > 1);
--: asof join no
SELECT * FROM ev ASOF JOIN rates MATCH_CONDITION(ev.ts >= rates.rts) ON ev.k = rates.cur;

--## MATCH_RECOGNIZE, process table functions
--: match_recognize, V shape
SELECT * FROM ticks MATCH_RECOGNIZE (PARTITION BY sym ORDER BY ts MEASURES A.ts AS s, LAST(D.price) AS low, LAST(U.ts) AS e ONE ROW PER MATCH AFTER MATCH SKIP TO LAST U PATTERN (A D+ U) DEFINE D AS (LAST(D.price, 1) IS NULL AND D.price < A.price) OR D.price < LAST(D.price, 1), U AS U.price > LAST(D.price, 1)) AS m;
--: match_recognize, reluctant, past last row
SELECT * FROM ticks MATCH_RECOGNIZE (ORDER BY ts MEASURES FIRST(A.price) AS f, COUNT(B.price) AS n ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B*? C) DEFINE A AS A.price > 10, C AS C.price < 10) AS m;
--: match_recognize, within, rowtime
SELECT * FROM ticks MATCH_RECOGNIZE (PARTITION BY sym ORDER BY ts MEASURES MATCH_ROWTIME() AS r, AVG(A.price) AS a ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A{2} B) WITHIN INTERVAL '5' SECOND DEFINE A AS A.price > 9, B AS B.price < A.price) AS m;
--: match_recognize, all rows per match no
SELECT * FROM ticks MATCH_RECOGNIZE (ORDER BY ts ALL ROWS PER MATCH PATTERN (A B) DEFINE A AS A.price > 10) AS m;
--: to_changelog
CREATE VIEW a{n} AS SELECT k, COUNT(*) AS c FROM ev GROUP BY k;
SELECT * FROM TO_CHANGELOG(input => TABLE a{n});
--: from_changelog
SELECT * FROM FROM_CHANGELOG(input => TABLE chg);

--## connectors
--: filesystem json, directory
CREATE TABLE a{n} (i INT) WITH ({file:lone});
SELECT i FROM a{n};
--: filesystem csv
CREATE TABLE a{n} (a INT, b STRING, c DECIMAL(5, 2)) WITH ({csv:data});
SELECT * FROM a{n};
--: filesystem raw
CREATE TABLE a{n} (line STRING) WITH ({raw:data});
SELECT * FROM a{n};
--: csv options
CREATE TABLE a{n} (a INT, b STRING, c DECIMAL(5, 2)) WITH ({csv:data}, 'csv.null-literal' = 'x', 'csv.ignore-parse-errors' = 'true', 'csv.allow-comments' = 'true');
SELECT * FROM a{n};
--: csv newer options
CREATE TABLE a{n} (a INT, b STRING, c DECIMAL(5, 2)) WITH ({csv:data}, 'csv.empty-string-as-null' = 'true', 'csv.trim-spaces' = 'true');
SELECT * FROM a{n};
--: json options
CREATE TABLE a{n} (i INT, s STRING, nope INT) WITH ({file:lone}, 'json.ignore-parse-errors' = 'true');
SELECT * FROM a{n};
--: json fail on missing field no
CREATE TABLE a{n} (i INT, nope INT) WITH ({file:lone}, 'json.fail-on-missing-field' = 'true');
SELECT * FROM a{n};
--: format parquet ~ nojar
CREATE TABLE a{n} (i INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/p', 'format' = 'parquet');
SELECT * FROM a{n};
--: format avro ~ nojar
CREATE TABLE a{n} (i INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/p', 'format' = 'avro');
SELECT * FROM a{n};
--: format debezium-json
CREATE TABLE a{n} (id INT, k STRING) WITH ({dbz:dbz});
SELECT * FROM a{n};
--: format canal, maxwell, ogg json ~
CREATE TABLE a{n} (id INT, k STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/none.json', 'format' = 'maxwell-json');
SELECT * FROM a{n};
--: filesystem sink, read back
CREATE TABLE a{n} (x INT, y STRING) WITH ({outcsv:a{n}});
INSERT INTO a{n} SELECT id, k FROM ev;
--: print
CREATE TABLE a{n} (x INT) WITH ('connector' = 'print');
INSERT INTO a{n} VALUES (1);
--: blackhole
CREATE TABLE a{n} (x INT) WITH ('connector' = 'blackhole');
INSERT INTO a{n} VALUES (1);
--: datagen sequence
CREATE TABLE a{n} (x BIGINT) WITH ('connector' = 'datagen', 'fields.x.kind' = 'sequence', 'fields.x.start' = '1', 'fields.x.end' = '5');
SELECT * FROM a{n};
--: datagen random ~
CREATE TABLE a{n} (x INT, s STRING, t TIMESTAMP(3), b BOOLEAN, a ARRAY<INT>, r ROW<q DOUBLE>) WITH ('connector' = 'datagen', 'number-of-rows' = '5', 'fields.x.min' = '1', 'fields.x.max' = '9', 'fields.s.length' = '3', 'fields.t.max-past' = '5 s', 'fields.s.null-rate' = '0.1');
SELECT * FROM a{n};
--: kinesis, old options ~ nojar
CREATE TABLE a{n} (x INT) WITH ('connector' = 'kinesis', 'stream' = 'probe', 'aws.region' = 'us-east-1', 'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json');
INSERT INTO a{n} VALUES (1);
--: kinesis, new options ~ nojar
CREATE TABLE a{n} (x INT) WITH ('connector' = 'kinesis', 'stream.arn' = 'arn:aws:kinesis:us-east-1:000000000000:stream/probe', 'aws.region' = 'us-east-1', 'source.init.position' = 'TRIM_HORIZON', 'source.reader.type' = 'EFO', 'source.efo.consumer.name' = 'c', 'format' = 'json');
INSERT INTO a{n} VALUES (2);
--: kafka ~ nojar
CREATE TABLE a{n} (x INT, o BIGINT METADATA FROM 'offset' VIRTUAL) WITH ('connector' = 'kafka', 'topic' = 't', 'properties.bootstrap.servers' = '127.0.0.1:1', 'properties.group.id' = 'g', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json');
EXPLAIN SELECT * FROM a{n};
--: upsert-kafka ~ nojar
CREATE TABLE a{n} (x INT, c BIGINT, PRIMARY KEY (x) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 't', 'properties.bootstrap.servers' = '127.0.0.1:1', 'key.format' = 'json', 'value.format' = 'json');
EXPLAIN INSERT INTO a{n} SELECT id, COUNT(*) FROM ev GROUP BY id;
--: jdbc ~ nojar
CREATE TABLE a{n} (x INT, c BIGINT, PRIMARY KEY (x) NOT ENFORCED) WITH ('connector' = 'jdbc', 'url' = 'jdbc:sqlite:{dir}/l.db', 'table-name' = 'l');
EXPLAIN INSERT INTO a{n} SELECT id, COUNT(*) FROM ev GROUP BY id;
--: faker ~ nojar
CREATE TABLE a{n} (name STRING, age INT) WITH ('connector' = 'faker', 'number-of-rows' = '3', 'fields.name.expression' = '#{{harry_potter.character}}', 'fields.age.expression' = '#{{number.numberBetween ''1'',''9''}}');
SELECT * FROM a{n};
--: firehose ~ nojar
CREATE TABLE a{n} (x INT) WITH ('connector' = 'firehose', 'delivery-stream' = 'd', 'aws.region' = 'us-east-1', 'format' = 'json');
EXPLAIN INSERT INTO a{n} SELECT id FROM ev;
--: unknown option no
CREATE TABLE a{n} (i INT) WITH ({file:lone}, 'pathh' = 'x');
SELECT * FROM a{n};
