-- Keeps what the checks found with the run. In: run_id, data_docs, not_complete (jsonb). The same twice: no change.
update sync.runs
set data_docs = %(data_docs)s,
    proof = proof || jsonb_build_object('not_complete', %(not_complete)s::jsonb)
where id = %(run_id)s;
