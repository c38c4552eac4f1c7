
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE public.sluice_answers (
    key bytea NOT NULL,
    answer bytea NOT NULL,
    expires bigint NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.05');

CREATE TABLE public.sluice_audit (
    seq bigint NOT NULL,
    hash text NOT NULL,
    line bytea NOT NULL
);

CREATE TABLE public.sluice_books (
    slot smallint NOT NULL,
    route text NOT NULL COLLATE pg_catalog."C",
    entry smallint NOT NULL,
    times bigint NOT NULL
)
WITH (fillfactor='20');

CREATE TABLE public.sluice_brake (
    one boolean DEFAULT true NOT NULL,
    wanted integer NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT sluice_brake_one_check CHECK (one)
);

CREATE TABLE public.sluice_claims (
    doc_key bytea NOT NULL,
    record bytea NOT NULL,
    stamp bigint NOT NULL,
    owners text[] NOT NULL COLLATE pg_catalog."C",
    expires bigint NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.2');

CREATE TABLE public.sluice_control (
    one boolean DEFAULT true NOT NULL,
    layout integer NOT NULL,
    migration text NOT NULL,
    epoch bigint NOT NULL,
    flag integer NOT NULL,
    plan integer NOT NULL,
    brake integer NOT NULL,
    shadow integer NOT NULL,
    kill boolean NOT NULL,
    mark integer NOT NULL,
    foreign_until bigint DEFAULT 0 NOT NULL,
    CONSTRAINT sluice_control_one_check CHECK (one)
);

CREATE TABLE public.sluice_counts (
    epoch bigint NOT NULL,
    what integer NOT NULL,
    times bigint NOT NULL
)
WITH (autovacuum_vacuum_threshold='1000', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_cost_delay='0', autovacuum_analyze_threshold='1000000', vacuum_truncate='false');

CREATE TABLE public.sluice_desk (
    one boolean DEFAULT true NOT NULL,
    state bytea,
    plan integer DEFAULT 1000000 NOT NULL,
    CONSTRAINT sluice_desk_one_check CHECK (one)
)
WITH (autovacuum_vacuum_threshold='200', autovacuum_vacuum_scale_factor='0', toast.autovacuum_vacuum_threshold='200', toast.autovacuum_vacuum_scale_factor='0');

CREATE TABLE public.sluice_leader (
    one boolean DEFAULT true NOT NULL,
    owner text NOT NULL,
    expires timestamp with time zone NOT NULL,
    sought integer DEFAULT 0 NOT NULL,
    CONSTRAINT sluice_leader_one_check CHECK (one)
);

CREATE TABLE public.sluice_leases (
    owner text NOT NULL COLLATE pg_catalog."C",
    expires timestamp with time zone NOT NULL
);

CREATE TABLE public.sluice_notes (
    subject text NOT NULL COLLATE pg_catalog."C",
    owner text NOT NULL COLLATE pg_catalog."C",
    body bytea NOT NULL
);

CREATE TABLE public.sluice_pages (
    subject text NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    body bytea NOT NULL
);

ALTER TABLE public.sluice_pages ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.sluice_pages_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.sluice_pledges (
    owner text NOT NULL COLLATE pg_catalog."C",
    migration text NOT NULL,
    floor integer NOT NULL,
    expires timestamp with time zone NOT NULL,
    number bigint NOT NULL
);

CREATE TABLE public.sluice_samples (
    subject text NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL,
    body bytea NOT NULL
);

ALTER TABLE public.sluice_samples ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.sluice_samples_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

INSERT INTO public.sluice_answers VALUES ('\x4cef00dac06380f9bed6391aee84bb25', '\x01c80100046b657074', 5035908205884);

INSERT INTO public.sluice_audit VALUES (1, 'e1095ac9b71f32d1e0ad33d2d24095b0b83efb09317e1ea02213ba9d2ff61c45', '\x7b22736571223a312c2274696d65223a22323032362d31312d32385432333a32333a32352e3839323232383630335a222c226163746f72223a22616461222c22616374696f6e223a22726f6c6c6261636b222c227375626a656374223a7b7d2c22726561736f6e223a226f66206c61796f75742032222c2270726576223a2230303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030222c2268617368223a2265313039356163396237316633326431653061643333643264323430393562306238336566623039333137653165613032323133626139643266663631633435227d0a');

INSERT INTO public.sluice_books VALUES (251, '', 257, 1);
INSERT INTO public.sluice_books VALUES (251, '', 0, 2);
INSERT INTO public.sluice_books VALUES (138, '', 0, 2);
INSERT INTO public.sluice_books VALUES (138, '', 1, 1);

INSERT INTO public.sluice_brake VALUES (true, 0, 'ada', 'rollback', '2026-11-28 12:00:00+00');

INSERT INTO public.sluice_claims VALUES ('\xc4c6eb6ee6f2e026a81ccd20bcc36c71', '\x010d6f70656e2d74656d706f72616c0101216430313233343536373839616263646566303132333435363738396162636465660000000000000000000000000000000000036f6c6401fcf9e1a3a23402fcf9e1a3a2340001010000', 2972506001161998560, '{old}', 0);
INSERT INTO public.sluice_claims VALUES ('\x97d915a9236eaa1bcde9a6d044e4a982', '\x010d646f6e652d74656d706f72616c0201216430313233343536373839616263646566303132333435363738396162636465660000000000000000000000000000000000036f6c640390fae1a3a2340290fae1a3a23493fae1a3a23401000000', 7857207343389526403, '{}', 5035908205843);
INSERT INTO public.sluice_claims VALUES ('\x23c674236a4011b02731c17331dca809', '\x010b6f70656e2d6c65676163790101216430313233343536373839616263646566303132333435363738396162636465660000000000000000000000000000000000036f6c64009bfae1a3a234039bfae1a3a2340000000001036f6c64019bfae1a3a234', 4230570725669954113, '{old}', 0);
INSERT INTO public.sluice_claims VALUES ('\x1271091b9a4a3ea19898748a7e86cd51', '\x010b646f6e652d6c65676163790201216430313233343536373839616263646566303132333435363738396162636465660000000000000000000000000000000000036f6c64029dfae1a3a234039dfae1a3a2349efae1a3a23400000000', 9197462218345332820, '{}', 5035908205854);

INSERT INTO public.sluice_control VALUES (true, 2, 'temporal-rollout/v1', 6, 300000, 500000, 0, 0, false, 800000, 0);

INSERT INTO public.sluice_desk VALUES (true, '\x7b226f66223a226c61796f75742032227d', 500000);

INSERT INTO public.sluice_leader VALUES (true, 'old', '2026-11-28 23:23:27.862008+00', 300000);

INSERT INTO public.sluice_leases VALUES ('old', '2026-11-28 23:23:26.890352+00');

INSERT INTO public.sluice_notes VALUES ('latencies', 'old', '\x7b226e6f7465223a317d');

INSERT INTO public.sluice_pages OVERRIDING SYSTEM VALUE VALUES ('reports', 1, '2026-11-28 23:23:25.868416+00', '\x7b2270616765223a317d');

INSERT INTO public.sluice_pledges VALUES ('old', 'temporal-rollout/v1', 800000, '2129-07-31 23:23:25.859425+00', 1);

INSERT INTO public.sluice_samples OVERRIDING SYSTEM VALUE VALUES ('shadow', 1, '\x7b2273616d706c65223a317d');

SELECT pg_catalog.setval('public.sluice_pages_number_seq', 1, true);

SELECT pg_catalog.setval('public.sluice_samples_number_seq', 1, true);

ALTER TABLE ONLY public.sluice_answers
    ADD CONSTRAINT sluice_answers_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.sluice_audit
    ADD CONSTRAINT sluice_audit_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY public.sluice_books
    ADD CONSTRAINT sluice_books_pkey PRIMARY KEY (slot, route, entry);

ALTER TABLE ONLY public.sluice_brake
    ADD CONSTRAINT sluice_brake_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.sluice_claims
    ADD CONSTRAINT sluice_claims_pkey PRIMARY KEY (doc_key);

ALTER TABLE ONLY public.sluice_control
    ADD CONSTRAINT sluice_control_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.sluice_desk
    ADD CONSTRAINT sluice_desk_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.sluice_leader
    ADD CONSTRAINT sluice_leader_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.sluice_leases
    ADD CONSTRAINT sluice_leases_pkey PRIMARY KEY (owner);

ALTER TABLE ONLY public.sluice_notes
    ADD CONSTRAINT sluice_notes_pkey PRIMARY KEY (subject, owner);

ALTER TABLE ONLY public.sluice_pages
    ADD CONSTRAINT sluice_pages_pkey PRIMARY KEY (subject, number);

ALTER TABLE ONLY public.sluice_pledges
    ADD CONSTRAINT sluice_pledges_pkey PRIMARY KEY (owner);

ALTER TABLE ONLY public.sluice_samples
    ADD CONSTRAINT sluice_samples_pkey PRIMARY KEY (subject, number);

CREATE INDEX sluice_answers_expires ON public.sluice_answers USING btree (expires);

CREATE INDEX sluice_claims_open ON public.sluice_claims USING btree (owners) WHERE (expires = 0);

CREATE INDEX sluice_claims_settled ON public.sluice_claims USING btree (expires) WHERE (expires > 0);

