//! Functions PostgreSQL has and this engine has not. Those that people may well try have a row for each list of types, and so have those
//! of whose names some are offered; of all others there is only the name. Aggregates and window functions that have rows are in the tables
//! of their kind.

use super::RefusedSpec;
use super::signature::Kind::{self, Any, AnyArray, AnyCompatible, AnyCompatibleArray, AnyElement, Foreign};
use super::signature::{
    BOOL, BYTEA, FLOAT8, INT4, INT8, INTERVAL, JSONB, NUMERIC, Signature, TEXT, TEXT_ARRAY, TIME, TIMESTAMP,
    TIMESTAMPTZ, VOID,
};

pub static FUNCTIONS: &[RefusedSpec] = &[
    refused("length", &[BYTEA, TEXT]),
    refused("substr", &[BYTEA, INT4, INT4]).optional(1),
    refused("substring", &[BYTEA, INT4, INT4]).optional(1),
    refused("substring", &[TEXT, TEXT, TEXT]).optional(1),
    refused("position", &[BYTEA, BYTEA]),
    refused("btrim", &[BYTEA, BYTEA]),
    refused("ltrim", &[BYTEA, BYTEA]),
    refused("rtrim", &[BYTEA, BYTEA]),
    refused("to_char", &[TIMESTAMP, TEXT]),
    refused("to_char", &[TIMESTAMPTZ, TEXT]),
    refused("to_char", &[INTERVAL, TEXT]),
    refused("to_char", &[INT4, TEXT]),
    refused("to_char", &[INT8, TEXT]),
    refused("to_char", &[NUMERIC, TEXT]),
    refused("to_char", &[FLOAT8, TEXT]),
    refused("to_date", &[TEXT, TEXT]),
    refused("to_number", &[TEXT, TEXT]),
    refused("md5", &[TEXT]),
    refused("md5", &[BYTEA]),
    refused("sha256", &[BYTEA]),
    refused("encode", &[BYTEA, TEXT]),
    refused("decode", &[TEXT, TEXT]),
    refused("format", &[TEXT]),
    refused("format", &[TEXT, Any]).variadic(),
    refused("regexp_replace", &[TEXT, TEXT, TEXT, TEXT]).optional(1),
    refused("regexp_replace", &[TEXT, TEXT, TEXT, INT4, INT4, TEXT]).optional(2),
    refused("regexp_match", &[TEXT, TEXT, TEXT]).optional(1),
    refused("regexp_matches", &[TEXT, TEXT, TEXT]).optional(1),
    refused("regexp_split_to_array", &[TEXT, TEXT, TEXT]).optional(1),
    refused("string_to_array", &[TEXT, TEXT, TEXT]).optional(1),
    refused("translate", &[TEXT, TEXT, TEXT]),
    refused("overlay", &[TEXT, TEXT, INT4, INT4]).optional(1),
    refused("overlay", &[BYTEA, BYTEA, INT4, INT4]).optional(1),
    refused("quote_literal", &[TEXT]),
    refused("quote_literal", &[AnyElement]),
    refused("quote_ident", &[TEXT]),
    refused("array_to_string", &[AnyArray, TEXT, TEXT]).optional(1),
    refused("array_append", &[AnyCompatibleArray, AnyCompatible]),
    refused("array_prepend", &[AnyCompatible, AnyCompatibleArray]),
    refused("array_cat", &[AnyCompatibleArray, AnyCompatibleArray]),
    refused("array_remove", &[AnyCompatibleArray, AnyCompatible]),
    refused("array_position", &[AnyCompatibleArray, AnyCompatible, INT4]).optional(1),
    refused("trim_array", &[AnyArray, INT4]),
    refused("power", &[NUMERIC, NUMERIC]),
    refused("pow", &[NUMERIC, NUMERIC]),
    refused("sqrt", &[NUMERIC]),
    refused("exp", &[NUMERIC]),
    refused("ln", &[NUMERIC]),
    refused("log", &[FLOAT8]),
    refused("log", &[NUMERIC]),
    refused("log", &[NUMERIC, NUMERIC]),
    refused("log10", &[FLOAT8]),
    refused("log10", &[NUMERIC]),
    refused("trunc", &[MACADDR]),
    refused("cbrt", &[FLOAT8]),
    refused("degrees", &[FLOAT8]),
    refused("radians", &[FLOAT8]),
    refused("sin", &[FLOAT8]),
    refused("cos", &[FLOAT8]),
    refused("tan", &[FLOAT8]),
    refused("pi", &[]),
    refused("factorial", &[INT8]),
    refused("gcd", &[INT4, INT4]),
    refused("gcd", &[INT8, INT8]),
    refused("gcd", &[NUMERIC, NUMERIC]),
    refused("lcm", &[INT4, INT4]),
    refused("lcm", &[INT8, INT8]),
    refused("lcm", &[NUMERIC, NUMERIC]),
    refused("div", &[NUMERIC, NUMERIC]),
    refused("width_bucket", &[FLOAT8, FLOAT8, FLOAT8, INT4]),
    refused("width_bucket", &[NUMERIC, NUMERIC, NUMERIC, INT4]),
    refused("width_bucket", &[AnyCompatible, AnyCompatibleArray]),
    refused("setseed", &[FLOAT8]),
    refused("age", &[TIMESTAMP]),
    refused("age", &[TIMESTAMPTZ]),
    refused("age", &[XID]),
    refused("date_trunc", &[TEXT, INTERVAL]),
    refused("date_trunc", &[TEXT, TIMESTAMPTZ, TEXT]),
    refused("date_bin", &[INTERVAL, TIMESTAMP, TIMESTAMP]),
    refused("date_bin", &[INTERVAL, TIMESTAMPTZ, TIMESTAMPTZ]),
    refused("to_timestamp", &[TEXT, TEXT]),
    refused("make_interval", &[INT4, INT4, INT4, INT4, INT4, INT4, FLOAT8]).optional(7),
    refused("make_timestamp", &[INT4, INT4, INT4, INT4, INT4, FLOAT8]),
    // A time is converted to one with a zone.
    refused("timezone", &[TEXT, TIME]),
    refused("timezone", &[INTERVAL, TIME]),
    refused("current_time", &[]),
    // Aggregates of an ordered set.
    refused("mode", &[Any]).variadic().optional(1),
    refused("percentile_cont", &[Any]),
    refused("percentile_disc", &[Any]),
    refused("rank", &[Any]).variadic(),
    refused("dense_rank", &[Any]).variadic(),
    refused("percent_rank", &[Any]).variadic(),
    refused("cume_dist", &[Any]).variadic(),
    refused("jsonb_build_object", &[]),
    refused("jsonb_build_object", &[Any]).variadic(),
    refused("json_build_object", &[]),
    refused("json_build_object", &[Any]).variadic(),
    refused("to_jsonb", &[AnyElement]),
    refused("to_json", &[AnyElement]),
    refused("jsonb_set", &[JSONB, TEXT_ARRAY, JSONB, BOOL]).optional(1),
    refused("row_to_json", &[RECORD, BOOL]).optional(1),
    refused("jsonb_array_elements", &[JSONB]),
    refused("jsonb_array_length", &[JSONB]),
    refused("generate_series", &[NUMERIC, NUMERIC, NUMERIC]).optional(1),
    refused("unnest", &[TSVECTOR]),
    // Several arrays side by side, in FROM.
    refused("unnest", &[Any, Any]).variadic(),
    refused("pg_sleep", &[FLOAT8]),
    refused("pg_sleep_for", &[INTERVAL]),
    refused("pg_notify", &[TEXT, TEXT]),
];

/// As many arguments as one likes.
const MANY: usize = usize::MAX;

/// Names of which nothing is offered, whatever they take: all others of pg_proc that can be called in a statement, and the types, which
/// convert when they are called by name. From how many arguments to how many.
static NAMES: &[(usize, usize, &str)] = &[
    // What the grammar knows by name.
    (1, 1, "current_time current_timestamp localtime localtimestamp"),
    (1, MANY, "grouping"),
    (
        0,
        0,
        "current_query get_current_ts_config getdatabaseencoding getpgusername inet_client_addr inet_client_port \
      inet_server_addr inet_server_port pg_available_extension_versions pg_available_extensions \
      pg_client_encoding pg_conf_load_time pg_config pg_control_checkpoint pg_control_init pg_control_recovery \
      pg_control_system pg_current_snapshot pg_current_wal_flush_lsn pg_current_wal_insert_lsn \
      pg_current_xact_id_if_assigned pg_cursor pg_event_trigger_ddl_commands pg_event_trigger_dropped_objects \
      pg_event_trigger_table_rewrite_oid pg_event_trigger_table_rewrite_reason pg_export_snapshot \
      pg_get_backend_memory_contexts pg_get_catalog_foreign_keys pg_get_keywords pg_get_replication_slots \
      pg_get_shmem_allocations pg_get_wal_replay_pause_state pg_get_wal_resource_managers pg_hba_file_rules \
      pg_ident_file_mappings pg_is_wal_replay_paused pg_jit_available pg_last_committed_xact \
      pg_last_wal_receive_lsn pg_last_xact_replay_timestamp pg_listening_channels pg_lock_status \
      pg_ls_archive_statusdir pg_ls_logdir pg_ls_logicalmapdir pg_ls_logicalsnapdir pg_ls_waldir \
      pg_my_temp_schema pg_notification_queue_usage pg_postmaster_start_time pg_prepared_statement \
      pg_prepared_xact pg_reload_conf pg_replication_origin_session_is_setup pg_replication_origin_session_reset \
      pg_replication_origin_xact_reset pg_rotate_logfile pg_rotate_logfile_old pg_show_all_file_settings \
      pg_show_all_settings pg_show_replication_origin_status pg_stat_clear_snapshot pg_stat_force_next_flush \
      pg_stat_get_archiver pg_stat_get_backend_idset pg_stat_get_bgwriter_buf_written_checkpoints \
      pg_stat_get_bgwriter_buf_written_clean pg_stat_get_bgwriter_maxwritten_clean \
      pg_stat_get_bgwriter_requested_checkpoints pg_stat_get_bgwriter_stat_reset_time \
      pg_stat_get_bgwriter_timed_checkpoints pg_stat_get_buf_alloc pg_stat_get_buf_fsync_backend \
      pg_stat_get_buf_written_backend pg_stat_get_checkpoint_sync_time pg_stat_get_checkpoint_write_time \
      pg_stat_get_recovery_prefetch pg_stat_get_slru pg_stat_get_snapshot_timestamp pg_stat_get_wal \
      pg_stat_get_wal_receiver pg_stat_get_wal_senders pg_stat_reset pg_stop_making_pinned_objects pg_switch_wal \
      pg_timezone_abbrevs pg_timezone_names pg_trigger_depth pg_wal_replay_pause pg_wal_replay_resume timeofday \
      txid_current_if_assigned txid_current_snapshot",
    ),
    (0, 1, "pg_backup_stop pg_current_logfile pg_ls_tmpdir"),
    (0, 2, "pg_promote"),
    (
        0,
        MANY,
        "datemultirange int4multirange int8multirange json_build_array jsonb_build_array nummultirange tsmultirange \
      tstzmultirange",
    ),
    (
        1,
        1,
        "_pg_expandarray abbrev aclexplode aclitem acos acosd acosh amvalidate anyarray_send \
      anycompatiblearray_send area array_send array_to_tsvector asin asind asinh atan atand atanh \
      binary_upgrade_set_next_array_pg_type_oid binary_upgrade_set_next_heap_pg_class_oid \
      binary_upgrade_set_next_heap_relfilenode binary_upgrade_set_next_index_pg_class_oid \
      binary_upgrade_set_next_index_relfilenode binary_upgrade_set_next_multirange_array_pg_type_oid \
      binary_upgrade_set_next_multirange_pg_type_oid binary_upgrade_set_next_pg_authid_oid \
      binary_upgrade_set_next_pg_enum_oid binary_upgrade_set_next_pg_tablespace_oid \
      binary_upgrade_set_next_pg_type_oid binary_upgrade_set_next_toast_pg_class_oid \
      binary_upgrade_set_next_toast_relfilenode binary_upgrade_set_record_init_privs bit_count bit_length \
      bit_send bit_xor bitnot bittypmodin bool boolsend box_center box_send bpcharsend bpchartypmodin \
      brin_bloom_summary_send brin_minmax_multi_summary_send brin_summarize_new_values broadcast btequalimage \
      btvarstrequalimage bytea byteasend cash_send cash_words center char charsend cid cidr cidr_send cidsend \
      circle_center circle_send cosd cosh cot cotd current_schemas date date_send daterange_canonical dcbrt dexp \
      diagonal diameter dlog1 dlog10 dround dsqrt dtrunc enum_first enum_last enum_send family float4 float4abs \
      float4send float4um float4up float8 float8_avg float8_corr float8_covar_pop float8_covar_samp \
      float8_regr_avgx float8_regr_avgy float8_regr_intercept float8_regr_r2 float8_regr_slope float8_regr_sxx \
      float8_regr_sxy float8_regr_syy float8_stddev_pop float8_stddev_samp float8_var_pop float8_var_samp \
      float8abs float8send float8um float8up fmgr_c_validator fmgr_internal_validator fmgr_sql_validator \
      gin_clean_pending_list gtsvector hash_aclitem hash_array hash_multirange hash_numeric hash_range \
      hash_record hashbpchar hashchar hashenum hashfloat4 hashfloat8 hashinet hashint2 hashint4 hashint8 \
      hashmacaddr hashmacaddr8 hashname hashoid hashoidvector hashtid height host hostmask inet inet_send \
      inetnot int2 int2abs int2int4_sum int2not int2send int2um int2up int2vector int2vectorsend int4 int4abs \
      int4inc int4not int4range_canonical int4send int4um int4up int8 int8_avg int8abs int8dec int8inc int8not \
      int8range_canonical int8send int8um int8up interval_avg interval_hash interval_send interval_um \
      intervaltypmodin isclosed isempty isopen json json_array_elements json_array_elements_text \
      json_array_length json_each json_each_text json_object_keys json_send json_strip_nulls json_to_record \
      json_to_recordset json_typeof jsonb jsonb_array_elements_text jsonb_each jsonb_each_text jsonb_hash \
      jsonb_object_keys jsonb_pretty jsonb_send jsonb_strip_nulls jsonb_to_record jsonb_to_recordset \
      jsonb_typeof jsonpath jsonpath_send line_horizontal line_send line_vertical lo_close lo_creat lo_create \
      lo_tell lo_tell64 lo_unlink lower_inc lower_inf lseg_center lseg_horizontal lseg_length lseg_send \
      lseg_vertical macaddr macaddr8 macaddr8_not macaddr8_send macaddr8_set7bit macaddr_not macaddr_send \
      masklen min_scale money multirange multirange_send mxid_age name namesend netmask network npoints \
      numeric_abs numeric_exp numeric_inc numeric_ln numeric_send numeric_sqrt numeric_uminus numeric_uplus \
      numerictypmodin numnode oid oidsend oidvector oidvectorsend oidvectortypes path path_length path_npoints \
      path_send pclose pg_blocking_pids pg_brin_bloom_summary pg_brin_minmax_multi_summary pg_cancel_backend \
      pg_char_to_encoding pg_collation_actual_version pg_collation_for pg_collation_is_visible \
      pg_column_compression pg_column_size pg_conversion_is_visible pg_create_restore_point \
      pg_database_collation_actual_version pg_database_size pg_ddl_command_send pg_dependencies \
      pg_dependencies_send pg_drop_replication_slot pg_encoding_max_length pg_encoding_to_char \
      pg_extension_update_paths pg_function_is_visible pg_get_function_arguments \
      pg_get_function_identity_arguments pg_get_function_result pg_get_function_sqlbody pg_get_functiondef \
      pg_get_multixact_members pg_get_partition_constraintdef pg_get_partkeydef pg_get_publication_tables \
      pg_get_replica_identity_index pg_get_statisticsobjdef pg_get_statisticsobjdef_columns \
      pg_get_statisticsobjdef_expressions pg_get_userbyid pg_import_system_collations pg_indexes_size \
      pg_is_other_temp_schema pg_log_backend_memory_contexts pg_ls_replslotdir pg_lsn pg_lsn_hash pg_lsn_send \
      pg_mcv_list pg_mcv_list_items pg_mcv_list_send pg_ndistinct pg_ndistinct_send pg_node_tree \
      pg_node_tree_send pg_opclass_is_visible pg_operator_is_visible pg_opfamily_is_visible pg_options_to_table \
      pg_partition_ancestors pg_partition_root pg_partition_tree pg_relation_filenode pg_relation_filepath \
      pg_relation_is_publishable pg_replication_origin_create pg_replication_origin_drop \
      pg_replication_origin_oid pg_replication_origin_session_progress pg_replication_origin_session_setup \
      pg_safe_snapshot_blocking_pids pg_sequence_last_value pg_sequence_parameters pg_settings_get_flags \
      pg_size_bytes pg_size_pretty pg_sleep_until pg_snapshot pg_snapshot_send pg_snapshot_xip pg_snapshot_xmax \
      pg_snapshot_xmin pg_stat_get_activity pg_stat_get_analyze_count pg_stat_get_autoanalyze_count \
      pg_stat_get_autovacuum_count pg_stat_get_backend_activity pg_stat_get_backend_activity_start \
      pg_stat_get_backend_client_addr pg_stat_get_backend_client_port pg_stat_get_backend_dbid \
      pg_stat_get_backend_pid pg_stat_get_backend_start pg_stat_get_backend_userid \
      pg_stat_get_backend_wait_event pg_stat_get_backend_wait_event_type pg_stat_get_backend_xact_start \
      pg_stat_get_blocks_fetched pg_stat_get_blocks_hit pg_stat_get_db_active_time pg_stat_get_db_blk_read_time \
      pg_stat_get_db_blk_write_time pg_stat_get_db_blocks_fetched pg_stat_get_db_blocks_hit \
      pg_stat_get_db_checksum_failures pg_stat_get_db_checksum_last_failure pg_stat_get_db_conflict_all \
      pg_stat_get_db_conflict_bufferpin pg_stat_get_db_conflict_lock pg_stat_get_db_conflict_snapshot \
      pg_stat_get_db_conflict_startup_deadlock pg_stat_get_db_conflict_tablespace pg_stat_get_db_deadlocks \
      pg_stat_get_db_idle_in_transaction_time pg_stat_get_db_numbackends pg_stat_get_db_session_time \
      pg_stat_get_db_sessions pg_stat_get_db_sessions_abandoned pg_stat_get_db_sessions_fatal \
      pg_stat_get_db_sessions_killed pg_stat_get_db_stat_reset_time pg_stat_get_db_temp_bytes \
      pg_stat_get_db_temp_files pg_stat_get_db_tuples_deleted pg_stat_get_db_tuples_fetched \
      pg_stat_get_db_tuples_inserted pg_stat_get_db_tuples_returned pg_stat_get_db_tuples_updated \
      pg_stat_get_db_xact_commit pg_stat_get_db_xact_rollback pg_stat_get_dead_tuples pg_stat_get_function_calls \
      pg_stat_get_function_self_time pg_stat_get_function_total_time pg_stat_get_ins_since_vacuum \
      pg_stat_get_last_analyze_time pg_stat_get_last_autoanalyze_time pg_stat_get_last_autovacuum_time \
      pg_stat_get_last_vacuum_time pg_stat_get_live_tuples pg_stat_get_mod_since_analyze pg_stat_get_numscans \
      pg_stat_get_progress_info pg_stat_get_replication_slot pg_stat_get_subscription \
      pg_stat_get_subscription_stats pg_stat_get_tuples_deleted pg_stat_get_tuples_fetched \
      pg_stat_get_tuples_hot_updated pg_stat_get_tuples_inserted pg_stat_get_tuples_returned \
      pg_stat_get_tuples_updated pg_stat_get_vacuum_count pg_stat_get_xact_blocks_fetched \
      pg_stat_get_xact_blocks_hit pg_stat_get_xact_function_calls pg_stat_get_xact_function_self_time \
      pg_stat_get_xact_function_total_time pg_stat_get_xact_numscans pg_stat_get_xact_tuples_deleted \
      pg_stat_get_xact_tuples_fetched pg_stat_get_xact_tuples_hot_updated pg_stat_get_xact_tuples_inserted \
      pg_stat_get_xact_tuples_returned pg_stat_get_xact_tuples_updated pg_stat_reset_replication_slot \
      pg_stat_reset_shared pg_stat_reset_single_function_counters pg_stat_reset_single_table_counters \
      pg_stat_reset_slru pg_stat_reset_subscription_stats pg_statistics_obj_is_visible pg_table_is_visible \
      pg_table_size pg_tablespace_databases pg_tablespace_location pg_tablespace_size pg_total_relation_size \
      pg_ts_config_is_visible pg_ts_dict_is_visible pg_ts_parser_is_visible pg_ts_template_is_visible \
      pg_type_is_visible pg_walfile_name pg_walfile_name_offset pg_xact_commit_timestamp \
      pg_xact_commit_timestamp_origin pg_xact_status plpgsql_validator point_send poly_center poly_npoints \
      poly_send popen querytree quote_nullable radius range_agg range_intersect_agg range_send record_send \
      refcursor regclass regclasssend regcollation regcollationsend regconfig regconfigsend regdictionary \
      regdictionarysend regnamespace regnamespacesend regoper regoperator regoperatorsend regopersend regproc \
      regprocedure regproceduresend regprocsend regrole regrolesend regtype regtypesend row_security_active \
      scale sha224 sha384 sha512 sind sinh spg_poly_quad_compress strip tand tanh text textlen textsend tid \
      tidsend time_hash time_send timestamp_hash timestamp_send timestamptypmodin timestamptz_send \
      timestamptztypmodin timetypmodin timetz_hash timetz_send timetztypmodin to_hex to_regclass to_regcollation \
      to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure to_regrole to_regtype trim_scale \
      ts_token_type tsquery tsquery_not tsquerysend tsvector tsvector_to_array tsvectorsend txid_snapshot \
      txid_snapshot_send txid_snapshot_xip txid_snapshot_xmax txid_snapshot_xmin txid_status unistr unknownsend \
      upper_inc upper_inf uuid uuid_hash uuid_send varbit_send varbittypmodin varcharsend varchartypmodin \
      void_send width xid xid8 xid8send xidsend xml xml_is_well_formed xml_is_well_formed_content \
      xml_is_well_formed_document xml_send xmlagg xmlcomment",
    ),
    (
        1,
        2,
        "array_to_json box circle enum_range interval is_normalized ishorizontal isvertical json_object \
      jsonb_object line lo_import lseg normalize numeric obj_description parse_ident pg_backup_start \
      pg_get_constraintdef pg_get_ruledef pg_get_triggerdef pg_get_viewdef pg_relation_size pg_stat_file \
      pg_terminate_backend phraseto_tsquery plainto_tsquery point polygon range_merge similar_to_escape time \
      timestamp timestamptz timetz to_ascii to_tsquery to_tsvector ts_debug ts_stat websearch_to_tsquery",
    ),
    (
        1,
        3,
        "bit bpchar daterange int4range int8range lo_get numrange pg_create_physical_replication_slot \
      pg_get_indexdef pg_ls_dir tsrange tstzrange varbit varchar",
    ),
    (1, 4, "pg_read_binary_file pg_read_file"),
    (1, MANY, "num_nonnulls num_nulls"),
    (
        2,
        2,
        "_pg_char_max_length _pg_char_octet_length _pg_datetime_precision _pg_index_position _pg_interval_type \
      _pg_numeric_precision _pg_numeric_precision_radix _pg_numeric_scale _pg_truetypid _pg_truetypmod \
      aclcontains acldefault aclinsert aclitemeq aclremove anytextcat array_eq array_ge array_gt array_larger \
      array_le array_lt array_ne array_positions array_smaller arraycontained arraycontains arrayoverlap atan2 \
      atan2d bitand bitcat bitcmp biteq bitge bitgt bitle bitlt bitne bitor bitshiftleft bitshiftright bitxor \
      booland_statefunc booleq boolge boolgt boolle boollt boolne boolor_statefunc bound_box box_above \
      box_above_eq box_add box_below box_below_eq box_contain box_contain_pt box_contained box_distance box_div \
      box_eq box_ge box_gt box_intersect box_le box_left box_lt box_mul box_overabove box_overbelow box_overlap \
      box_overleft box_overright box_right box_same box_sub bpchar_larger bpchar_pattern_ge bpchar_pattern_gt \
      bpchar_pattern_le bpchar_pattern_lt bpchar_smaller bpcharcmp bpchareq bpcharge bpchargt bpchariclike \
      bpcharicnlike bpcharicregexeq bpcharicregexne bpcharle bpcharlike bpcharlt bpcharne bpcharnlike \
      bpcharregexeq bpcharregexne brin_desummarize_range brin_summarize_range btarraycmp btboolcmp \
      btbpchar_pattern_cmp btcharcmp btfloat48cmp btfloat4cmp btfloat84cmp btfloat8cmp btint24cmp btint28cmp \
      btint2cmp btint42cmp btint48cmp btint4cmp btint82cmp btint84cmp btint8cmp btnamecmp btnametextcmp btoidcmp \
      btoidvectorcmp btrecordcmp btrecordimagecmp bttext_pattern_cmp bttextcmp bttextnamecmp bttidcmp byteacat \
      byteacmp byteaeq byteage byteagt byteale bytealike bytealt byteane byteanlike cash_cmp cash_div_cash \
      cash_div_flt4 cash_div_flt8 cash_div_int2 cash_div_int4 cash_div_int8 cash_eq cash_ge cash_gt cash_le \
      cash_lt cash_mi cash_mul_flt4 cash_mul_flt8 cash_mul_int2 cash_mul_int4 cash_mul_int8 cash_ne cash_pl \
      cashlarger cashsmaller chareq charge chargt charle charlt charne cideq circle_above circle_add_pt \
      circle_below circle_contain circle_contain_pt circle_contained circle_distance circle_div_pt circle_eq \
      circle_ge circle_gt circle_le circle_left circle_lt circle_mul_pt circle_ne circle_overabove \
      circle_overbelow circle_overlap circle_overleft circle_overright circle_right circle_same circle_sub_pt \
      close_ls close_lseg close_pb close_pl close_ps close_sb col_description convert_from convert_to covar_pop \
      covar_samp currtid2 date_cmp date_cmp_timestamp date_cmp_timestamptz date_eq date_eq_timestamp \
      date_eq_timestamptz date_ge date_ge_timestamp date_ge_timestamptz date_gt date_gt_timestamp \
      date_gt_timestamptz date_larger date_le date_le_timestamp date_le_timestamptz date_lt date_lt_timestamp \
      date_lt_timestamptz date_mi date_mi_interval date_mii date_ne date_ne_timestamp date_ne_timestamptz \
      date_pl_interval date_pli date_smaller daterange_subdiff datetime_pl datetimetz_pl dist_bp dist_bs \
      dist_cpoint dist_cpoly dist_lp dist_ls dist_pathp dist_pb dist_pc dist_pl dist_polyc dist_polyp dist_ppath \
      dist_ppoly dist_ps dist_sb dist_sl dist_sp dpow elem_contained_by_multirange elem_contained_by_range \
      enum_cmp enum_eq enum_ge enum_gt enum_larger enum_le enum_lt enum_ne enum_smaller float48div float48eq \
      float48ge float48gt float48le float48lt float48mi float48mul float48ne float48pl float4_accum float4div \
      float4eq float4ge float4gt float4larger float4le float4lt float4mi float4mul float4ne float4pl \
      float4smaller float84div float84eq float84ge float84gt float84le float84lt float84mi float84mul float84ne \
      float84pl float8_accum float8_combine float8_regr_combine float8div float8eq float8ge float8gt \
      float8larger float8le float8lt float8mi float8mul float8ne float8pl float8smaller flt4_mul_cash \
      flt8_mul_cash format_type get_bit get_byte gin_cmp_tslexeme gin_compare_jsonb hash_aclitem_extended \
      hash_array_extended hash_multirange_extended hash_numeric_extended hash_range_extended \
      hash_record_extended hashbpcharextended hashcharextended hashenumextended hashfloat4extended \
      hashfloat8extended hashinetextended hashint2extended hashint4extended hashint8extended \
      hashmacaddr8extended hashmacaddrextended hashnameextended hashoidextended hashoidvectorextended \
      hashtextextended hashtidextended inet_merge inet_same_family inetand inetmi inetmi_int8 inetor inetpl \
      int24div int24eq int24ge int24gt int24le int24lt int24mi int24mul int24ne int24pl int28div int28eq int28ge \
      int28gt int28le int28lt int28mi int28mul int28ne int28pl int2_avg_accum int2_avg_accum_inv int2_mul_cash \
      int2_sum int2and int2div int2eq int2ge int2gt int2larger int2le int2lt int2mi int2mod int2mul int2ne \
      int2or int2pl int2shl int2shr int2smaller int2xor int42div int42eq int42ge int42gt int42le int42lt int42mi \
      int42mul int42ne int42pl int48div int48eq int48ge int48gt int48le int48lt int48mi int48mul int48ne int48pl \
      int4_avg_accum int4_avg_accum_inv int4_avg_combine int4_mul_cash int4_sum int4and int4div int4eq int4ge \
      int4gt int4larger int4le int4lt int4mi int4mod int4mul int4ne int4or int4pl int4range_subdiff int4shl \
      int4shr int4smaller int4xor int82div int82eq int82ge int82gt int82le int82lt int82mi int82mul int82ne \
      int82pl int84div int84eq int84ge int84gt int84le int84lt int84mi int84mul int84ne int84pl int8_mul_cash \
      int8_sum int8and int8dec_any int8div int8eq int8ge int8gt int8inc_any int8larger int8le int8lt int8mi \
      int8mod int8mul int8ne int8or int8pl int8pl_inet int8range_subdiff int8shl int8shr int8smaller int8xor \
      integer_pl_date inter_lb inter_sb inter_sl interval_accum interval_accum_inv interval_cmp interval_combine \
      interval_div interval_eq interval_ge interval_gt interval_hash_extended interval_larger interval_le \
      interval_lt interval_mi interval_mul interval_ne interval_pl interval_pl_date interval_pl_time \
      interval_pl_timestamp interval_pl_timestamptz interval_pl_timetz interval_smaller isparallel isperp \
      json_array_element json_array_element_text json_object_field json_object_field_text jsonb_array_element \
      jsonb_array_element_text jsonb_cmp jsonb_concat jsonb_contained jsonb_contains jsonb_delete_path jsonb_eq \
      jsonb_exists jsonb_exists_all jsonb_exists_any jsonb_ge jsonb_gt jsonb_hash_extended jsonb_le jsonb_lt \
      jsonb_ne jsonb_object_field jsonb_object_field_text jsonb_path_exists_opr jsonb_path_match_opr \
      jsonb_populate_record jsonb_populate_recordset like like_escape line_distance line_eq line_interpt \
      line_intersect line_parallel line_perp lo_export lo_from_bytea lo_open lo_truncate lo_truncate64 loread \
      lowrite lseg_distance lseg_eq lseg_ge lseg_gt lseg_interpt lseg_intersect lseg_le lseg_lt lseg_ne \
      lseg_parallel lseg_perp macaddr8_and macaddr8_cmp macaddr8_eq macaddr8_ge macaddr8_gt macaddr8_le \
      macaddr8_lt macaddr8_ne macaddr8_or macaddr_and macaddr_cmp macaddr_eq macaddr_ge macaddr_gt macaddr_le \
      macaddr_lt macaddr_ne macaddr_or mul_d_interval multirange_adjacent_multirange multirange_adjacent_range \
      multirange_after_multirange multirange_after_range multirange_before_multirange multirange_before_range \
      multirange_cmp multirange_contained_by_multirange multirange_contained_by_range multirange_contains_elem \
      multirange_contains_multirange multirange_contains_range multirange_eq multirange_ge multirange_gt \
      multirange_intersect multirange_intersect_agg_transfn multirange_le multirange_lt multirange_minus \
      multirange_ne multirange_overlaps_multirange multirange_overlaps_range multirange_overleft_multirange \
      multirange_overleft_range multirange_overright_multirange multirange_overright_range multirange_union \
      nameconcatoid nameeq nameeqtext namege namegetext namegt namegttext nameiclike nameicnlike nameicregexeq \
      nameicregexne namele nameletext namelike namelt namelttext namene namenetext namenlike nameregexeq \
      nameregexne network_cmp network_eq network_ge network_gt network_larger network_le network_lt network_ne \
      network_overlap network_smaller network_sub network_subeq network_sup network_supeq notlike numeric_add \
      numeric_cmp numeric_div numeric_div_trunc numeric_eq numeric_ge numeric_gt numeric_larger numeric_le \
      numeric_log numeric_lt numeric_mod numeric_mul numeric_ne numeric_pl_pg_lsn numeric_power numeric_smaller \
      numeric_sub numrange_subdiff oideq oidge oidgt oidlarger oidle oidlt oidne oidsmaller oidvectoreq \
      oidvectorge oidvectorgt oidvectorle oidvectorlt oidvectorne on_pb on_pl on_ppath on_ps on_sb on_sl \
      path_add path_add_pt path_contain_pt path_distance path_div_pt path_inter path_mul_pt path_n_eq path_n_ge \
      path_n_gt path_n_le path_n_lt path_sub_pt pg_extension_config_dump pg_filenode_relation \
      pg_get_function_arg_default pg_get_serial_sequence pg_index_has_property pg_indexam_has_property \
      pg_indexam_progress_phasename pg_isolation_test_session_is_blocked pg_lsn_cmp pg_lsn_eq pg_lsn_ge \
      pg_lsn_gt pg_lsn_hash_extended pg_lsn_larger pg_lsn_le pg_lsn_lt pg_lsn_mi pg_lsn_mii pg_lsn_ne pg_lsn_pli \
      pg_lsn_smaller pg_relation_is_updatable pg_replication_origin_advance pg_replication_origin_progress \
      pg_replication_origin_xact_setup pg_replication_slot_advance pg_visible_in_snapshot point_above point_add \
      point_below point_distance point_div point_eq point_horiz point_left point_mul point_ne point_right \
      point_sub point_vert poly_above poly_below poly_contain poly_contain_pt poly_contained poly_distance \
      poly_left poly_overabove poly_overbelow poly_overlap poly_overleft poly_overright poly_right poly_same \
      postgresql_fdw_validator pt_contained_circle pt_contained_poly range_adjacent range_adjacent_multirange \
      range_after range_after_multirange range_before range_before_multirange range_cmp range_contained_by \
      range_contained_by_multirange range_contains range_contains_elem range_contains_multirange range_eq \
      range_ge range_gt range_intersect range_intersect_agg_transfn range_le range_lt range_minus range_ne \
      range_overlaps range_overlaps_multirange range_overleft range_overleft_multirange range_overright \
      range_overright_multirange range_union record_eq record_ge record_gt record_image_eq record_image_ge \
      record_image_gt record_image_le record_image_lt record_image_ne record_le record_lt record_ne regr_avgx \
      regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy set_masklen \
      shobj_description similar_escape slope text_ge text_gt text_larger text_le text_lt text_pattern_ge \
      text_pattern_gt text_pattern_le text_pattern_lt text_smaller textanycat textcat texteq texteqname \
      textgename textgtname texticlike texticnlike texticregexeq texticregexne textlename textlike textltname \
      textne textnename textnlike textregexeq textregexne tideq tidge tidgt tidlarger tidle tidlt tidne \
      tidsmaller time_cmp time_eq time_ge time_gt time_hash_extended time_larger time_le time_lt \
      time_mi_interval time_mi_time time_ne time_pl_interval time_smaller timedate_pl timestamp_cmp \
      timestamp_cmp_date timestamp_cmp_timestamptz timestamp_eq timestamp_eq_date timestamp_eq_timestamptz \
      timestamp_ge timestamp_ge_date timestamp_ge_timestamptz timestamp_gt timestamp_gt_date \
      timestamp_gt_timestamptz timestamp_hash_extended timestamp_larger timestamp_le timestamp_le_date \
      timestamp_le_timestamptz timestamp_lt timestamp_lt_date timestamp_lt_timestamptz timestamp_mi \
      timestamp_mi_interval timestamp_ne timestamp_ne_date timestamp_ne_timestamptz timestamp_pl_interval \
      timestamp_smaller timestamptz_cmp timestamptz_cmp_date timestamptz_cmp_timestamp timestamptz_eq \
      timestamptz_eq_date timestamptz_eq_timestamp timestamptz_ge timestamptz_ge_date timestamptz_ge_timestamp \
      timestamptz_gt timestamptz_gt_date timestamptz_gt_timestamp timestamptz_larger timestamptz_le \
      timestamptz_le_date timestamptz_le_timestamp timestamptz_lt timestamptz_lt_date timestamptz_lt_timestamp \
      timestamptz_mi timestamptz_mi_interval timestamptz_ne timestamptz_ne_date timestamptz_ne_timestamp \
      timestamptz_pl_interval timestamptz_smaller timetz_cmp timetz_eq timetz_ge timetz_gt timetz_hash_extended \
      timetz_larger timetz_le timetz_lt timetz_mi_interval timetz_ne timetz_pl_interval timetz_smaller \
      timetzdate_pl ts_delete ts_filter ts_lexize ts_match_qv ts_match_tq ts_match_tt ts_match_vq ts_parse \
      tsq_mcontained tsq_mcontains tsquery_and tsquery_cmp tsquery_eq tsquery_ge tsquery_gt tsquery_le \
      tsquery_lt tsquery_ne tsquery_or tsrange_subdiff tstzrange_subdiff tsvector_cmp tsvector_concat \
      tsvector_eq tsvector_ge tsvector_gt tsvector_le tsvector_lt tsvector_ne txid_visible_in_snapshot uuid_cmp \
      uuid_eq uuid_ge uuid_gt uuid_hash_extended uuid_le uuid_lt uuid_ne varbitcmp varbiteq varbitge varbitgt \
      varbitle varbitlt varbitne xid8_larger xid8_smaller xid8cmp xid8eq xid8ge xid8gt xid8le xid8lt xid8ne \
      xideq xideqint4 xidneq xidneqint4 xmlconcat2 xmlexists xmlvalidate",
    ),
    (
        2,
        3,
        "array_fill generate_subscripts has_any_column_privilege has_database_privilege \
      has_foreign_data_wrapper_privilege has_function_privilege has_language_privilege has_parameter_privilege \
      has_schema_privilege has_sequence_privilege has_server_privilege has_table_privilege \
      has_tablespace_privilege has_type_privilege json_populate_record json_populate_recordset json_to_tsvector \
      jsonb_to_tsvector pg_copy_physical_replication_slot pg_get_expr pg_has_role regexp_like \
      regexp_split_to_table setweight string_to_table ts_rewrite tsquery_phrase xpath xpath_exists",
    ),
    (
        2,
        4,
        "jsonb_path_exists jsonb_path_exists_tz jsonb_path_match jsonb_path_match_tz jsonb_path_query \
      jsonb_path_query_array jsonb_path_query_array_tz jsonb_path_query_first jsonb_path_query_first_tz \
      jsonb_path_query_tz pg_copy_logical_replication_slot pg_create_logical_replication_slot regexp_count \
      ts_headline ts_rank ts_rank_cd",
    ),
    (2, 6, "regexp_substr"),
    (2, 7, "regexp_instr"),
    (2, MANY, "json_extract_path json_extract_path_text jsonb_delete jsonb_extract_path jsonb_extract_path_text"),
    (
        3,
        3,
        "array_replace binary_upgrade_set_missing_value convert database_to_xml database_to_xml_and_xmlschema \
      database_to_xmlschema float8_regr_accum int8inc_float8_float8 lo_lseek lo_lseek64 lo_put make_time \
      pg_column_is_updatable pg_describe_object pg_get_object_address pg_identify_object \
      pg_identify_object_as_address pg_index_column_has_property pg_logical_emit_message pg_nextoid \
      pg_read_file_old pg_stat_have_stats set_bit set_byte set_config",
    ),
    (3, 4, "has_column_privilege jsonb_insert"),
    (3, 5, "jsonb_set_lax"),
    (
        3,
        MANY,
        "pg_logical_slot_get_binary_changes pg_logical_slot_get_changes pg_logical_slot_peek_binary_changes \
      pg_logical_slot_peek_changes",
    ),
    (
        4,
        4,
        "cursor_to_xmlschema makeaclitem overlaps query_to_xml query_to_xml_and_xmlschema query_to_xmlschema \
      schema_to_xml schema_to_xml_and_xmlschema schema_to_xmlschema table_to_xml table_to_xml_and_xmlschema \
      table_to_xmlschema",
    ),
    (4, MANY, "satisfies_hash_partition"),
    (5, 5, "cursor_to_xml in_range"),
    (6, 7, "make_timestamptz"),
    (7, 7, "binary_upgrade_create_empty_extension"),
];

/// Whether PostgreSQL has functions of the name that take so many arguments, and none of them has a row.
pub fn is_name(name: &str, arguments: usize) -> bool {
    let takes = |(least, most, _): &&(usize, usize, &str)| (*least..=*most).contains(&arguments);
    NAMES.iter().filter(takes).any(|(_, _, names)| names.split(' ').any(|known| known == name))
}

const MACADDR: Kind = Foreign(b'U');
const XID: Kind = Foreign(b'U');
const TSVECTOR: Kind = Foreign(b'U');
const RECORD: Kind = Foreign(b'P');

const fn refused(name: &'static str, parameters: &'static [Kind]) -> RefusedSpec {
    RefusedSpec { name, signature: Signature::new(parameters, VOID) }
}

impl RefusedSpec {
    const fn optional(mut self, parameters: usize) -> RefusedSpec {
        self.signature.optional = parameters;
        self
    }

    const fn variadic(mut self) -> RefusedSpec {
        self.signature.variadic = true;
        self
    }
}
