//! A session's settings: what SET, SHOW and RESET know.

mod inert;

use std::collections::BTreeMap;

use crate::sql::error::{Result, fail, refuse};
use crate::trace::{Isolation, Micros};

#[derive(Debug, Clone, PartialEq)]
pub struct SessionSettings {
    pub isolation: Isolation,
    pub read_only: bool,
    pub lock_timeout_us: Micros,
    pub statement_timeout_us: Micros,
    pub idle_timeout_us: Micros,
    /// Settings that are kept and shown but change nothing here.
    others: BTreeMap<String, String>,
}

impl Default for SessionSettings {
    fn default() -> SessionSettings {
        SessionSettings {
            isolation: Isolation::ReadCommitted,
            read_only: false,
            lock_timeout_us: 0,
            statement_timeout_us: 0,
            idle_timeout_us: 0,
            others: BTreeMap::new(),
        }
    }
}

/// Settings that have one value here, which SET may say again.
const FIXED: &[(&str, &str)] = &[
    ("bytea_output", "hex"),
    ("integer_datetimes", "on"),
    ("intervalstyle", "postgres"),
    ("lc_collate", "C"),
    ("lc_ctype", "C"),
    ("lc_messages", "C"),
    ("lc_monetary", "C"),
    ("lc_numeric", "C"),
    ("lc_time", "C"),
    ("server_encoding", "UTF8"),
    ("standard_conforming_strings", "on"),
];

impl SessionSettings {
    /// `None` goes back to the default.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> Result<()> {
        let defaults = SessionSettings::default();
        match name {
            "default_transaction_isolation" => {
                self.isolation = match value.map(str::to_ascii_lowercase).as_deref() {
                    None => defaults.isolation,
                    Some("serializable") => Isolation::Serializable,
                    Some("repeatable read") => Isolation::RepeatableRead,
                    Some("read committed" | "read uncommitted") => Isolation::ReadCommitted,
                    Some(other) => return invalid(name, other),
                };
            }
            "default_transaction_read_only" => {
                self.read_only = match value.map(str::to_ascii_lowercase).as_deref() {
                    None | Some("off" | "false" | "0" | "no") => false,
                    Some("on" | "true" | "1" | "yes") => true,
                    Some(_) => return fail("22023", format!("parameter \"{name}\" requires a Boolean value")),
                };
            }
            "lock_timeout" => self.lock_timeout_us = duration(name, value)?,
            "statement_timeout" => self.statement_timeout_us = duration(name, value)?,
            "idle_in_transaction_session_timeout" => self.idle_timeout_us = duration(name, value)?,
            "timezone" => match value {
                None => {}
                Some(zone)
                    if crate::sql::types::timezone::named(zone) == crate::sql::types::timezone::Zone::Fixed(0) => {}
                Some(zone) => return refuse(format!("the session time zone \"{zone}\" (only UTC)")),
            },
            "datestyle" => match value.map(str::to_ascii_lowercase).as_deref() {
                None | Some("iso" | "iso, mdy") => {}
                Some(_) => return refuse("a DateStyle other than ISO, MDY"),
            },
            "transaction_isolation" => {
                return refuse("SET transaction_isolation (write SET TRANSACTION ISOLATION LEVEL …)");
            }
            "server_version" | "server_encoding" | "integer_datetimes" | "lc_collate" | "lc_ctype" => {
                return fail("55P02", format!("parameter \"{name}\" cannot be changed"));
            }
            name => self.set_inert(name, value)?,
        }
        Ok(())
    }

    /// Settings that are kept and shown, or have one value only.
    fn set_inert(&mut self, name: &str, value: Option<&str>) -> Result<()> {
        let default = inert::default_of(name);
        if let Some((prefix, rest)) = name.split_once('.')
            && !(is_plain_name(prefix) && rest.split('.').all(is_plain_name))
        {
            return fail("42602", format!("invalid configuration parameter name \"{name}\""));
        }
        match (value, fixed(name)) {
            (Some(value), Some(only)) if !value.eq_ignore_ascii_case(only) => {
                return refuse(format!("{name} other than {only}"));
            }
            (_, Some(_)) => {}
            (None, None) if default.is_some() => drop(self.others.remove(name)),
            // One of the user's own is empty from then on, and not unknown again.
            (None, None) if name.contains('.') => {
                self.others.entry(name.to_owned()).and_modify(String::clear).or_default();
            }
            (Some(value), None) if default.is_some() || name.contains('.') => {
                let kept = inert::as_shown(name, value)?;
                self.others.insert(name.to_owned(), kept);
            }
            _ => return unknown(name),
        }
        Ok(())
    }

    /// Takes all settings back, but one of the user's own is empty from then on, and not unknown again.
    pub fn go_back(&mut self, to: SessionSettings) {
        let before = std::mem::replace(self, to);
        for name in before.others.into_keys().filter(|name| name.contains('.')) {
            self.others.entry(name).or_default();
        }
    }

    pub fn searches_public(&self) -> bool {
        self.others.get("search_path").is_none_or(|path| crate::sql::catalog::search_path::has_public(path))
    }

    pub fn current_schema(&self) -> Option<&'static str> {
        self.others.get("search_path").map_or(Some("public"), |path| crate::sql::catalog::search_path::first(path))
    }

    pub fn show(&self, name: &str) -> Result<String> {
        Ok(match name {
            "default_transaction_isolation" => level_name(self.isolation).to_owned(),
            "default_transaction_read_only" => if self.read_only { "on" } else { "off" }.to_owned(),
            "lock_timeout" => shown_duration(self.lock_timeout_us),
            "statement_timeout" => shown_duration(self.statement_timeout_us),
            "idle_in_transaction_session_timeout" => shown_duration(self.idle_timeout_us),
            "timezone" => "UTC".to_owned(),
            "datestyle" => "ISO, MDY".to_owned(),
            name => match (self.others.get(name), inert::default_of(name).or(fixed(name))) {
                (Some(value), _) => value.clone(),
                (None, Some(default)) => default.to_owned(),
                (None, None) => return unknown(name),
            },
        })
    }
}

/// The names that PostgreSQL writes with capitals, though it finds all of them by small letters.
pub fn own_spelling(name: &str) -> &str {
    match name {
        "datestyle" => "DateStyle",
        "intervalstyle" => "IntervalStyle",
        "timezone" => "TimeZone",
        name => name,
    }
}

pub fn level_name(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::ReadCommitted => "read committed",
        Isolation::RepeatableRead => "repeatable read",
        Isolation::Serializable => "serializable",
    }
}

fn fixed(name: &str) -> Option<&'static str> {
    FIXED.iter().find(|(known, _)| *known == name).map(|(_, only)| *only)
}

fn is_plain_name(name: &str) -> bool {
    let is_letter = |it: char| it.is_ascii_alphabetic() || it == '_' || !it.is_ascii();
    name.starts_with(is_letter) && name.chars().all(|it| is_letter(it) || it.is_ascii_digit() || it == '$')
}

fn unknown<T>(name: &str) -> Result<T> {
    if OTHERS.split(' ').any(|it| it == name) {
        return refuse(format!("the setting {name}"));
    }
    fail("42704", format!("unrecognized configuration parameter \"{name}\""))
}

fn invalid<T>(name: &str, value: &str) -> Result<T> {
    fail("22023", format!("invalid value for parameter \"{name}\": \"{value}\""))
}

/// Milliseconds unless a unit is named.
fn duration(name: &str, value: Option<&str>) -> Result<Micros> {
    let Some(value) = value else { return Ok(0) };
    let value = value.trim();
    let digits = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    let Ok(amount) = value[..digits].parse::<f64>() else { return invalid(name, value) };
    let unit = match value[digits..].trim() {
        "us" => 0.001,
        "" | "ms" => 1.0,
        "s" => 1000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return invalid(name, value),
    };
    let millis = (amount * unit).round();
    if millis > f64::from(i32::MAX) {
        return fail(
            "22023",
            format!("{millis} ms is outside the valid range for parameter \"{name}\" (0 .. 2147483647)"),
        );
    }
    Ok(millis as Micros * 1000)
}

fn shown_duration(micros: Micros) -> String {
    let millis = micros / 1000;
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000)] {
        if millis > 0 && millis.is_multiple_of(size) {
            return format!("{}{unit}", millis / size);
        }
    }
    if millis == 0 { "0".to_owned() } else { format!("{millis}ms") }
}

/// Settings of PostgreSQL that are not offered.
const OTHERS: &str = "\
    allow_in_place_tablespaces allow_system_table_mods archive_cleanup_command archive_command archive_library archive_mode \
    archive_timeout array_nulls authentication_timeout autovacuum autovacuum_analyze_scale_factor autovacuum_analyze_threshold \
    autovacuum_freeze_max_age autovacuum_max_workers autovacuum_multixact_freeze_max_age autovacuum_naptime \
    autovacuum_vacuum_cost_delay autovacuum_vacuum_cost_limit autovacuum_vacuum_insert_scale_factor \
    autovacuum_vacuum_insert_threshold autovacuum_vacuum_scale_factor autovacuum_vacuum_threshold autovacuum_work_mem \
    backend_flush_after backslash_quote backtrace_functions bgwriter_delay bgwriter_flush_after bgwriter_lru_maxpages \
    bgwriter_lru_multiplier block_size bonjour bonjour_name checkpoint_completion_target checkpoint_flush_after \
    checkpoint_timeout checkpoint_warning client_connection_check_interval cluster_name commit_delay commit_siblings \
    compute_query_id config_file data_checksums data_directory data_directory_mode data_sync_retry db_user_namespace \
    debug_assertions debug_discard_caches debug_pretty_print debug_print_parse debug_print_plan debug_print_rewritten \
    default_table_access_method default_tablespace default_text_search_config default_toast_compression \
    default_transaction_deferrable dynamic_library_path dynamic_shared_memory_type effective_io_concurrency event_source \
    exit_on_error extension_destdir external_pid_file fsync full_page_writes geqo_effort geqo_generations geqo_pool_size \
    geqo_seed geqo_selection_bias gin_fuzzy_search_limit gin_pending_list_limit hba_file hot_standby hot_standby_feedback \
    huge_page_size huge_pages ident_file idle_session_timeout ignore_checksum_failure ignore_invalid_pages \
    ignore_system_indexes in_hot_standby jit_debugging_support jit_dump_bitcode jit_expressions jit_profiling_support \
    jit_provider jit_tuple_deforming krb_caseins_users krb_server_keyfile listen_addresses lo_compat_privileges \
    local_preload_libraries log_autovacuum_min_duration log_checkpoints log_connections log_destination log_directory \
    log_disconnections log_duration log_error_verbosity log_executor_stats log_file_mode log_filename log_hostname \
    log_line_prefix log_lock_waits log_min_duration_sample log_min_duration_statement log_min_error_statement log_min_messages \
    log_parameter_max_length log_parameter_max_length_on_error log_parser_stats log_planner_stats log_recovery_conflict_waits \
    log_replication_commands log_rotation_age log_rotation_size log_startup_progress_interval log_statement \
    log_statement_sample_rate log_statement_stats log_temp_files log_timezone log_transaction_sample_rate \
    log_truncate_on_rotation logging_collector logical_decoding_work_mem maintenance_io_concurrency max_connections \
    max_files_per_process max_function_args max_identifier_length max_index_keys max_locks_per_transaction \
    max_logical_replication_workers max_parallel_maintenance_workers max_pred_locks_per_page max_pred_locks_per_relation \
    max_pred_locks_per_transaction max_prepared_transactions max_replication_slots max_slot_wal_keep_size max_stack_depth \
    max_standby_archive_delay max_standby_streaming_delay max_sync_workers_per_subscription max_wal_senders max_wal_size \
    max_worker_processes min_dynamic_shared_memory min_wal_size old_snapshot_threshold password_encryption port \
    post_auth_delay pre_auth_delay primary_conninfo primary_slot_name promote_trigger_file quote_all_identifiers \
    recovery_end_command recovery_init_sync_method recovery_min_apply_delay recovery_prefetch recovery_target \
    recovery_target_action recovery_target_inclusive recovery_target_lsn recovery_target_name recovery_target_time \
    recovery_target_timeline recovery_target_xid recursive_worktable_factor remove_temp_files_after_crash restart_after_crash \
    restore_command restrict_nonsystem_relation_kind segment_size server_version_num session_preload_libraries \
    session_replication_role shared_buffers shared_memory_size shared_memory_size_in_huge_pages shared_memory_type \
    shared_preload_libraries ssl ssl_ca_file ssl_cert_file ssl_ciphers ssl_crl_dir ssl_crl_file ssl_dh_params_file \
    ssl_ecdh_curve ssl_key_file ssl_library ssl_max_protocol_version ssl_min_protocol_version ssl_passphrase_command \
    ssl_passphrase_command_supports_reload ssl_prefer_server_ciphers stats_fetch_consistency superuser_reserved_connections \
    synchronize_seqscans synchronous_standby_names syslog_facility syslog_ident syslog_sequence_numbers syslog_split_messages \
    tcp_keepalives_count tcp_keepalives_idle tcp_keepalives_interval tcp_user_timeout temp_file_limit temp_tablespaces \
    timezone_abbreviations trace_notify trace_recovery_messages trace_sort track_activities track_activity_query_size \
    track_commit_timestamp track_counts track_functions track_io_timing track_wal_io_timing transaction_deferrable \
    transform_null_equals unix_socket_directories unix_socket_group unix_socket_permissions update_process_title \
    vacuum_defer_cleanup_age vacuum_failsafe_age vacuum_freeze_min_age vacuum_freeze_table_age vacuum_multixact_failsafe_age \
    vacuum_multixact_freeze_min_age vacuum_multixact_freeze_table_age wal_block_size wal_buffers wal_compression \
    wal_consistency_checking wal_decode_buffer_size wal_init_zero wal_keep_size wal_level wal_log_hints \
    wal_receiver_create_temp_slot wal_receiver_status_interval wal_receiver_timeout wal_recycle wal_retrieve_retry_interval \
    wal_segment_size wal_sender_timeout wal_skip_threshold wal_sync_method wal_writer_delay wal_writer_flush_after xmlbinary \
    xmloption zero_damaged_pages";
