-- HLP/1, the Handpiece Link Protocol, for Wireshark and tshark. TRAINING SIMULATOR - NOT A MEDICAL DEVICE.
--
-- Made from the messages' models by `devicectl spec`; to change it, change the code. How it is used is in
-- docs/captures.md:
--
--     tshark -X lua_script:hlp1.lua -r run.pcapng -O hlp1
--
-- For the Lua of Wireshark, 5.1 to 5.4; it was tried with 5.2.

local NOTICE = "TRAINING SIMULATOR - NOT A MEDICAL DEVICE"
local PROTOCOL = "HLP/1"
local MAJOR = 1
local MINOR = 1
local HEADER_SIZE = 12
local CRC_SIZE = 4
local CRC_RESIDUE = 1214729159
local MAX_ENCODED_SIZE = 241
local MAX_PAYLOAD_SIZE = 224
local RECORD_SIZE = 32
local RECORD_KIND_OFFSET = 8
local RETRANSMIT = 4
local REPLAYED = 8
local MUST_UNDERSTAND = 48
local BAD_REASONS = {"oversize", "cobs", "short", "crc", "length"}

local ENUMS = {
  ["kind"] = {[0]="COMMAND", "REPLY", "PROGRESS", "EVENT", "TELEMETRY", "ALARM", "BULK", "LINK"},
  ["needle_outcome"] = {[0]="NOT_PUNCTURED", "COUNTED", "EMPTY", "UNCOUNTED", "AMBIGUOUS"},
  ["code"] = {[0]="OK", "E_UNKNOWN_MESSAGE", "E_SCHEMA", "E_VERSION", "E_LINK", "E_STATE", "E_INTERLOCK", "E_BUSY", "E_ARGUMENT", "E_RANGE", "E_EXPIRED", "E_CYCLE_GAP", "E_STORAGE", "E_AUTH", "E_UNSUPPORTED", "E_INTERNAL", [255]="UNKNOWN"},
  ["role"] = {[0]="VIEWER", "CONTROLLER", [255]="UNKNOWN"},
  ["device_state"] = {[0]="OFF", "SELF_TEST", "IDLE", "SESSION_OPEN", "ANESTHESIA_WAIT", "ANESTHESIA_CONFIRMED", "ARMED", "PUNCHING", "SUCTIONING", "ADVANCING", "COUNTING", "REPOSITIONING", "PURGING", "PAUSED", "CLOSING", "SAFE", "FAULT", "LOCKED", "ARMING", "DISARMING", [255]="UNKNOWN"},
  ["phase"] = {[0]="NONE", "PUNCH", "SUCTION", "ADVANCE", "COUNT", [255]="UNKNOWN"},
  ["ending"] = {[0]="OPEN", "COMPLETED", "ABORTED", "AMBIGUOUS", [255]="UNKNOWN"},
  ["close_reason"] = {"COMPLETED", "ABORTED", "ABANDONED", [255]="UNKNOWN"},
  ["alarm_priority"] = {[0]="NONE", "INFO", "LOW", "MEDIUM", "HIGH", [255]="UNKNOWN"},
  ["alarm_state"] = {[0]="INACTIVE", "ACTIVE", "ACKNOWLEDGED", "LATCHED", [255]="UNKNOWN"},
  ["bye_reason"] = {[0]="CLOSING", "REPLACED", "LEASE_EXPIRED", "REBOOT", [255]="UNKNOWN"},
  ["param_scope"] = {[0]="START_ONLY", "HOST_SETTABLE", [255]="UNKNOWN"},
  ["record_kind"] = {[0]="GAP", "CYCLE", "SESSION_OPENED", "SESSION_CLOSED", "ALARM", "REFUSAL", "PARAMETER", "BOOT", "ANESTHESIA", "ACTION", [255]="UNKNOWN"},
  ["stream"] = {"STATE", [255]="UNKNOWN"},
  ["alarm_code"] = {[0]="none", [101]="MC-0101 NEEDLE_NOT_RETRACTED", [201]="MC-0201 ANESTHESIA_MISSING", [301]="MC-0301 ANESTHESIA_EXPIRED", [401]="MC-0401 SUCTION_LOST", [501]="MC-0501 LINE_BLOCKED", [601]="MC-0601 NEEDLE_CLOGGED", [602]="MC-0602 NEEDLES_CLOGGED", [701]="MC-0701 COUNT_MISMATCH", [702]="MC-0702 COUNT_STOPPED", [801]="MC-0801 DENSITY_NEAR", [802]="MC-0802 DENSITY_REACHED", [803]="MC-0803 DENSITY_LOCKED", [1001]="MC-1001 TOO_DEEP", [1101]="MC-1101 CARTRIDGE_REFUSED", [1201]="MC-1201 CARTRIDGE_WORN", [1202]="MC-1202 CARTRIDGE_WORN_OUT", [1301]="MC-1301 TRIGGER_UNSTEADY", [1302]="MC-1302 TRIGGER_STUCK", [1401]="MC-1401 POWER_LOST_IN_STROKE", [1501]="MC-1501 LINK_LOST", [1502]="MC-1502 RETAINED_COMMAND", [1601]="MC-1601 MOTOR_STALLED", [1701]="MC-1701 HOT", [1702]="MC-1702 TOO_HOT", [1801]="MC-1801 CANISTER_NEARLY_FULL", [1802]="MC-1802 CANISTER_FULL", [1901]="MC-1901 FLUID_INSIDE", [2001]="MC-2001 EMERGENCY_STOP", [2301]="MC-2301 SELF_TEST_FAILED"},
  ["interlock"] = {[0]="NONE", "NEEDLE_OUT", "ANESTHESIA_NEEDED", "ANESTHESIA_TIME", "SUCTION", "BLOCKED_LINE", "CLOG", "COUNT_MISMATCH", "DENSITY", "ZONE", "DEPTH", "CARTRIDGE", "WEAR", "TRIGGER", "POWER", "LINK", "STALL", "HEAT", "CANISTER", "FLUID", "EMERGENCY_STOP", "SESSION_GAP", "LOG", "SELF_TEST"},
  ["message_id"] = {[7]="Echo", [257]="DeviceInfo", [513]="ParamList", [514]="ParamGet", [515]="ParamSet", [769]="SessionOpen", [770]="AnesthesiaStart", [771]="AnesthesiaConfirm", [772]="Arm", [773]="Disarm", [774]="Reposition", [775]="Punch", [776]="Suction", [777]="Advance", [778]="Count", [779]="Purge", [780]="Pause", [781]="Resume", [782]="Stop", [783]="FaultReset", [784]="SessionClose", [1025]="StreamSet", [1282]="JournalRead", [1283]="JournalAck", [1538]="AlarmList", [1539]="AlarmAck", [3841]="TruthGet", [3842]="FaultInject", [3843]="FaultClear", [3844]="FaultGet", [3845]="PowerCut"},
}

local MESSAGES = {
  [0x70001] = {kind=7, id=1, least=25, name="Hello", snake="hello", fields={{"majors", "u16"}, {"minor", "u8"}, {"role", "enum8", enum="role"}, {"features", "u64"}, {"schema_id", "u32"}, {"host_id", "u32"}, {"max_payload_size", "u8", unit="B", low=131, high=224}, {"nonce", "u32"}}},
  [0x70002] = {kind=7, id=2, least=90, name="Welcome", snake="welcome", fields={{"link_id", "u16"}, {"minor", "u8"}, {"role", "enum8", enum="role"}, {"features", "u64"}, {"schema_id", "u32"}, {"nonce", "u32"}, {"boot_count", "u32"}, {"heartbeat_armed_ms", "u16", unit="ms"}, {"lease_armed_ms", "u16", unit="ms"}, {"heartbeat_idle_ms", "u16", unit="ms"}, {"lease_idle_ms", "u16", unit="ms"}, {"journal_epoch", "u32"}, {"journal_tail", "u32"}, {"journal_head", "u32"}, {"session_no", "u32"}, {"cycle_no", "u32"}, {"cycles", "u32"}, {"punctures", "u32"}, {"cores_counted", "u32"}, {"state", "enum8", enum="device_state"}, {"simulated", "bool"}, {"uptime_ms", "u32", unit="ms"}, {"controller_host_id", "u32"}, {"model_version", "s16"}}},
  [0x70003] = {kind=7, id=3, least=33, name="Heartbeat", snake="heartbeat", fields={{"state", "enum8", enum="device_state"}, {"highest_alarm", "enum8", enum="alarm_priority"}, {"trigger_held", "bool"}, {"running_correlation_id", "u16"}, {"cycle_no", "u32"}, {"cycles", "u32"}, {"punctures", "u32"}, {"cores_counted", "u32"}, {"journal_head", "u32"}, {"params_hash", "u32"}, {"uptime_ms", "u32", unit="ms"}}},
  [0x70004] = {kind=7, id=4, least=0, name="HostHeartbeat", snake="host_heartbeat", fields={}},
  [0x70005] = {kind=7, id=5, least=1, name="Bye", snake="bye", fields={{"reason", "enum8", enum="bye_reason"}}},
  [0x70006] = {kind=7, id=6, least=131, name="Nak", snake="nak", fields={{"code", "enum8", enum="code"}, {"seq", "u16"}, {"expected", "u32"}, {"actual", "u32"}, {"sentence", "s120"}}},
  [0x00007] = {kind=0, id=7, least=0, name="Echo", snake="echo", fields={{"data", "bytes", tail=true}}},
  [0x10007] = {kind=1, id=7, least=0, name="EchoDone", snake="echo_done", fields={{"data", "bytes", tail=true}}},
  [0x10010] = {kind=1, id=16, least=4, name="Received", snake="received", fields={{"expected_ms", "u32", unit="ms"}}},
  [0x20011] = {kind=2, id=17, least=9, name="Progress", snake="progress", fields={{"state", "enum8", enum="device_state"}, {"elapsed_ms", "u32", unit="ms"}, {"expected_ms", "u32", unit="ms"}}},
  [0x10012] = {kind=1, id=18, least=130, name="Refused", snake="refused", fields={{"code", "enum8", enum="code"}, {"interlock", "u8", enum="interlock"}, {"expected", "u32"}, {"actual", "u32"}, {"sentence", "s120"}}},
  [0x10013] = {kind=1, id=19, least=124, name="Failed", snake="failed", fields={{"code", "enum8", enum="code"}, {"interlock", "u8", enum="interlock"}, {"alarm_code", "u16", enum="alarm_code"}, {"sentence", "s120"}}},
  [0x10014] = {kind=1, id=20, least=123, name="Aborted", snake="aborted", fields={{"code", "enum8", enum="code"}, {"ending", "enum8", enum="ending"}, {"phase", "enum8", enum="phase"}, {"sentence", "s120"}}},
  [0x00101] = {kind=0, id=257, least=0, name="DeviceInfo", snake="device_info", fields={}},
  [0x10101] = {kind=1, id=257, least=101, name="DeviceInfoDone", snake="device_info_done", topic="info", fields={{"model", "s32"}, {"serial", "s16"}, {"firmware_version", "s16"}, {"model_version", "s16"}, {"simulated", "bool"}, {"has_truth", "bool"}, {"seed", "u64"}, {"needles", "u8"}, {"core_diameter_um", "u16", unit="um"}, {"cartridge_serial", "u32"}, {"cartridge_life_cycles", "u32"}}},
  [0x00201] = {kind=0, id=513, least=2, name="ParamList", snake="param_list", fields={{"index", "u16"}}},
  [0x10201] = {kind=1, id=513, least=85, name="ParamListDone", snake="param_list_done", fields={{"count", "u16"}, {"index", "u16"}, {"name", "s32"}, {"unit", "s16"}, {"scope", "enum8", enum="param_scope"}, {"value", "f64"}, {"default", "f64"}, {"minimum", "f64"}, {"maximum", "f64"}}},
  [0x00202] = {kind=0, id=514, least=32, name="ParamGet", snake="param_get", fields={{"name", "s32"}}},
  [0x10202] = {kind=1, id=514, least=40, name="ParamGetDone", snake="param_get_done", fields={{"name", "s32"}, {"value", "f64"}}},
  [0x00203] = {kind=0, id=515, least=40, name="ParamSet", snake="param_set", fields={{"name", "s32"}, {"value", "f64"}}},
  [0x10203] = {kind=1, id=515, least=40, name="ParamSetDone", snake="param_set_done", fields={{"name", "s32"}, {"value", "f64"}}},
  [0x00301] = {kind=0, id=769, least=8, name="SessionOpen", snake="session_open", fields={{"target_cores", "u32", low=1, high=1000000}, {"coverage_bp", "u16", unit="0.01 %", low=400, high=800}, {"depth_um", "u16", unit="um", low=500, high=4000}, {"zones_cm2", "u16", tail=true, unit="cm2"}}},
  [0x10301] = {kind=1, id=769, least=13, name="SessionOpenDone", snake="session_open_done", fields={{"session_no", "u32"}, {"first_cycle_no", "u32"}, {"needles", "u8"}, {"cells", "u16"}, {"cycles_per_cell", "u8"}, {"punctures_per_cell", "u8"}}},
  [0x00302] = {kind=0, id=770, least=37, name="AnesthesiaStart", snake="anesthesia_start", fields={{"zone", "u8"}, {"age_s", "u32", unit="s", low=0, high=86400}, {"method", "s32"}}},
  [0x10302] = {kind=1, id=770, least=4, name="AnesthesiaStartDone", snake="anesthesia_start_done", fields={{"wait_s", "u32", unit="s"}}},
  [0x00303] = {kind=0, id=771, least=33, name="AnesthesiaConfirm", snake="anesthesia_confirm", fields={{"zone", "u8"}, {"confirmed_by", "s32"}}},
  [0x10303] = {kind=1, id=771, least=4, name="AnesthesiaConfirmDone", snake="anesthesia_confirm_done", fields={{"valid_s", "u32", unit="s"}}},
  [0x00304] = {kind=0, id=772, least=0, name="Arm", snake="arm", fields={}},
  [0x10304] = {kind=1, id=772, least=4, name="ArmDone", snake="arm_done", fields={{"vacuum_pa", "i32", unit="Pa"}}},
  [0x00305] = {kind=0, id=773, least=0, name="Disarm", snake="disarm", fields={}},
  [0x10305] = {kind=1, id=773, least=1, name="DisarmDone", snake="disarm_done", fields={{"state", "enum8", enum="device_state"}}},
  [0x00306] = {kind=0, id=774, least=3, name="Reposition", snake="reposition", fields={{"zone", "u8"}, {"cell", "u16"}}},
  [0x10306] = {kind=1, id=774, least=5, name="RepositionDone", snake="reposition_done", fields={{"zone", "u8"}, {"cell", "u16"}, {"cell_punctures", "u8"}, {"cycles_left", "u8"}}},
  [0x00307] = {kind=0, id=775, least=10, name="Punch", snake="punch", fields={{"cycle_no", "u32"}, {"depth_um", "u16", unit="um"}, {"deadline_ms", "u32", unit="ms"}}},
  [0x10307] = {kind=1, id=775, least=11, name="PunchDone", snake="punch_done", fields={{"cycle_no", "u32"}, {"depth_um", "u16", unit="um"}, {"punctured", "u8"}, {"vacuum_pa", "i32", unit="Pa"}}},
  [0x00308] = {kind=0, id=776, least=4, name="Suction", snake="suction", fields={{"cycle_no", "u32"}}},
  [0x10308] = {kind=1, id=776, least=8, name="SuctionDone", snake="suction_done", fields={{"cycle_no", "u32"}, {"vacuum_pa", "i32", unit="Pa"}}},
  [0x00309] = {kind=0, id=777, least=5, name="Advance", snake="advance", fields={{"cycle_no", "u32"}, {"steps", "u8", low=1, high=8}}},
  [0x10309] = {kind=1, id=777, least=4, name="AdvanceDone", snake="advance_done", fields={{"cycle_no", "u32"}}},
  [0x0030a] = {kind=0, id=778, least=4, name="Count", snake="count", fields={{"cycle_no", "u32"}}},
  [0x1030a] = {kind=1, id=778, least=20, name="CountDone", snake="count_done", fields={{"cycle_no", "u32"}, {"outcomes", "u32", nibbles="needle_outcome"}, {"cores_counted", "u8"}, {"flagged", "u8"}, {"cell_punctures", "u8"}, {"cycles_left", "u8"}, {"total_punctures", "u32"}, {"total_cores_counted", "u32"}}},
  [0x0030b] = {kind=0, id=779, least=0, name="Purge", snake="purge", fields={}},
  [0x1030b] = {kind=1, id=779, least=2, name="PurgeDone", snake="purge_done", fields={{"cleared", "u8"}, {"flagged", "u8"}}},
  [0x0030c] = {kind=0, id=780, least=0, name="Pause", snake="pause", fields={}},
  [0x1030c] = {kind=1, id=780, least=0, name="PauseDone", snake="pause_done", fields={}},
  [0x0030d] = {kind=0, id=781, least=0, name="Resume", snake="resume", fields={}},
  [0x1030d] = {kind=1, id=781, least=0, name="ResumeDone", snake="resume_done", fields={}},
  [0x0030e] = {kind=0, id=782, least=0, name="Stop", snake="stop", fields={}},
  [0x1030e] = {kind=1, id=782, least=1, name="StopDone", snake="stop_done", fields={{"state", "enum8", enum="device_state"}}},
  [0x0030f] = {kind=0, id=783, least=0, name="FaultReset", snake="fault_reset", fields={}},
  [0x1030f] = {kind=1, id=783, least=2, name="FaultResetDone", snake="fault_reset_done", fields={{"state", "enum8", enum="device_state"}, {"alarms", "u8"}}},
  [0x00310] = {kind=0, id=784, least=29, name="SessionClose", snake="session_close", fields={{"session_no", "u32"}, {"reason", "enum8", enum="close_reason"}, {"cycles", "u32"}, {"completed", "u32"}, {"aborted", "u32"}, {"ambiguous", "u32"}, {"punctures", "u32"}, {"cores_counted", "u32"}}},
  [0x10310] = {kind=1, id=784, least=28, name="SessionCloseDone", snake="session_close_done", fields={{"session_no", "u32"}, {"cycles", "u32"}, {"completed", "u32"}, {"aborted", "u32"}, {"ambiguous", "u32"}, {"punctures", "u32"}, {"cores_counted", "u32"}}},
  [0x00401] = {kind=0, id=1025, least=3, name="StreamSet", snake="stream_set", fields={{"stream", "enum8", enum="stream"}, {"interval_ms", "u16", unit="ms", low=0, high=60000}}},
  [0x10401] = {kind=1, id=1025, least=3, name="StreamSetDone", snake="stream_set_done", fields={{"stream", "enum8", enum="stream"}, {"interval_ms", "u16", unit="ms"}}},
  [0x40402] = {kind=4, id=1026, least=26, name="TelemetryState", snake="telemetry_state", fields={{"uptime_ms", "u32", unit="ms"}, {"state", "enum8", enum="device_state"}, {"depth_um", "u16", unit="um"}, {"vacuum_pa", "i32", unit="Pa"}, {"temperature_mk", "u32", unit="mK"}, {"canister_ul", "u32", unit="uL"}, {"cartridge_cycles", "u32"}, {"cell", "u16"}, {"flagged", "u8"}}},
  [0x30501] = {kind=3, id=1281, least=0, name="Event", snake="event", fields={{"record", "bytes", tail=true, records=true}}},
  [0x00502] = {kind=0, id=1282, least=9, name="JournalRead", snake="journal_read", fields={{"epoch", "u32"}, {"first", "u32"}, {"max_records", "u8", low=1, high=255}}},
  [0x10502] = {kind=1, id=1282, least=16, name="JournalPage", snake="journal_page", fields={{"epoch", "u32"}, {"first", "u32"}, {"tail", "u32"}, {"head", "u32"}, {"records", "bytes", tail=true, records=true}}},
  [0x00503] = {kind=0, id=1283, least=8, name="JournalAck", snake="journal_ack", fields={{"epoch", "u32"}, {"upto", "u32"}}},
  [0x10503] = {kind=1, id=1283, least=4, name="JournalAckDone", snake="journal_ack_done", fields={{"tail", "u32"}}},
  [0x50601] = {kind=5, id=1537, least=129, name="Alarm", snake="alarm", fields={{"code", "u16", enum="alarm_code"}, {"interlock", "u8", enum="interlock"}, {"priority", "enum8", enum="alarm_priority"}, {"state", "enum8", enum="alarm_state"}, {"uptime_ms", "u32", unit="ms"}, {"sentence", "s120"}}},
  [0x00602] = {kind=0, id=1538, least=1, name="AlarmList", snake="alarm_list", fields={{"index", "u8"}}},
  [0x10602] = {kind=1, id=1538, least=131, name="AlarmListDone", snake="alarm_list_done", fields={{"count", "u8"}, {"index", "u8"}, {"code", "u16", enum="alarm_code"}, {"interlock", "u8", enum="interlock"}, {"priority", "enum8", enum="alarm_priority"}, {"state", "enum8", enum="alarm_state"}, {"uptime_ms", "u32", unit="ms"}, {"sentence", "s120"}}},
  [0x00603] = {kind=0, id=1539, least=2, name="AlarmAck", snake="alarm_ack", fields={{"code", "u16", enum="alarm_code"}}},
  [0x10603] = {kind=1, id=1539, least=3, name="AlarmAckDone", snake="alarm_ack_done", fields={{"code", "u16", enum="alarm_code"}, {"state", "enum8", enum="alarm_state"}}},
  [0x00f01] = {kind=0, id=3841, least=0, name="TruthGet", snake="truth_get", fields={}},
  [0x10f01] = {kind=1, id=3841, least=28, name="TruthGetDone", snake="truth_get_done", fields={{"session_no", "u32"}, {"cycles_commanded", "u32"}, {"cycles_completed", "u32"}, {"punctures", "u32"}, {"cores_evacuated", "u32"}, {"cores_counted", "u32"}, {"clogs", "u32"}}},
  [0x00f02] = {kind=0, id=3842, least=193, since=1, name="FaultInject", snake="fault_inject", fields={{"fault", "s32"}, {"when", "s120"}, {"given", "u8"}, {"value_0", "f64"}, {"value_1", "f64"}, {"value_2", "f64"}, {"value_3", "f64"}, {"value_4", "f64"}}},
  [0x10f02] = {kind=1, id=3842, least=2, since=1, name="FaultInjectDone", snake="fault_inject_done", fields={{"fault_id", "u16"}}},
  [0x00f03] = {kind=0, id=3843, least=2, since=1, name="FaultClear", snake="fault_clear", fields={{"fault_id", "u16"}}},
  [0x10f03] = {kind=1, id=3843, least=4, since=1, name="FaultClearDone", snake="fault_clear_done", fields={{"cleared", "u16"}, {"unfired", "u16"}}},
  [0x00f04] = {kind=0, id=3844, least=2, since=1, name="FaultGet", snake="fault_get", fields={{"fault_id", "u16"}}},
  [0x10f04] = {kind=1, id=3844, least=40, since=1, name="FaultGetDone", snake="fault_get_done", fields={{"fault_id", "u16"}, {"effects", "u32"}, {"began", "bool"}, {"ended", "bool"}, {"fault", "s32"}}},
  [0x00f05] = {kind=0, id=3845, least=4, since=1, name="PowerCut", snake="power_cut", fields={{"for_ms", "u32", unit="ms", low=1, high=86400000}}},
  [0x10f05] = {kind=1, id=3845, least=4, since=1, name="PowerCutDone", snake="power_cut_done", fields={{"for_ms", "u32", unit="ms"}}},
}

local RECORDS = {
  [0] = {name="Gap", snake="gap", fields={{"event_no", "u32"}, {"uptime_ms", "u32", unit="ms"}, {"missing", "u32"}}},
  [1] = {name="Cycle", snake="cycle", fields={{"event_no", "u32"}, {"uptime_ms", "u32", unit="ms"}, {"ending", "enum8", enum="ending"}, {"phase", "enum8", enum="phase"}, {"needles", "u8"}, {"cycle_no", "u32"}, {"outcomes", "u32", nibbles="needle_outcome"}, {"cell", "u16"}, {"depth_um", "u16", unit="um"}, {"total_punctures", "u32"}, {"total_cores_counted", "u32"}}},
  [2] = {name="SessionOpened", snake="session_opened", fields={{"event_no", "u32"}, {"uptime_ms", "u32", unit="ms"}, {"session_no", "u32"}, {"target_cores", "u32"}, {"first_cycle_no", "u32"}, {"coverage_bp", "u16", unit="0.01 %"}, {"depth_um", "u16", unit="um"}, {"cells", "u16"}, {"zones", "u8"}}},
  [3] = {name="SessionClosed", snake="session_closed", fields={{"event_no", "u32"}, {"uptime_ms", "u32", unit="ms"}, {"reason", "enum8", enum="close_reason"}, {"session_no", "u32"}, {"cycles", "u32"}, {"punctures", "u32"}, {"cores_counted", "u32"}}},
  [4] = {name="AlarmChanged", snake="alarm_changed", fields={{"event_no", "u32"}, {"uptime_ms", "u32", unit="ms"}, {"code", "u16", enum="alarm_code"}, {"interlock", "u8", enum="interlock"}, {"priority", "enum8", enum="alarm_priority"}, {"state", "enum8", enum="alarm_state"}}},
  [5] = {name="Refusal", snake="refusal", fields={{"event_no", "u32"}, {"uptime_ms", "u32", unit="ms"}, {"code", "enum8", enum="code"}, {"interlock", "u8", enum="interlock"}, {"message_id", "u16", enum="message_id"}, {"cycle_no", "u32"}}},
  [6] = {name="ParameterSet", snake="parameter_set", fields={{"event_no", "u32"}, {"uptime_ms", "u32", unit="ms"}, {"index", "u16"}, {"value", "f64"}}},
  [7] = {name="Boot", snake="boot", fields={{"event_no", "u32"}, {"uptime_ms", "u32", unit="ms"}, {"boot_count", "u32"}, {"open_cycle_no", "u32"}, {"phase", "enum8", enum="phase"}}},
  [8] = {name="Anesthesia", snake="anesthesia", fields={{"event_no", "u32"}, {"uptime_ms", "u32", unit="ms"}, {"zone", "u8"}, {"confirmed", "u8"}, {"age_s", "u32", unit="s"}}},
  [9] = {name="Action", snake="action", fields={{"event_no", "u32"}, {"uptime_ms", "u32", unit="ms"}, {"message_id", "u16", enum="message_id"}, {"zone", "u8"}, {"cell", "u16"}}},
}

local SNAPSHOTS = {
  ["status"] = {name="Status", snake="status", fields={{"notice", "text"}, {"simulated", "bool"}, {"online", "bool"}, {"birth_no", "int"}, {"reason", "text"}, {"protocol", "text"}, {"minor", "int"}, {"schema_id", "int"}, {"boot_count", "int"}}},
  ["state"] = {name="State", snake="state", fields={{"version", "int"}, {"state", "enum8", enum="device_state"}, {"highest_alarm", "enum8", enum="alarm_priority"}, {"session_no", "int"}, {"cycle_no", "int"}, {"cycles", "int"}, {"punctures", "int"}, {"cores_counted", "int"}, {"journal_head", "int"}, {"controller_host_id", "int"}}},
  ["alarms"] = {name="Alarms", snake="alarms", fields={{"version", "int"}, {"alarms", "list", items={name="AlarmShown", snake="alarm_shown", fields={{"code", "int", enum="alarm_code"}, {"interlock", "int", enum="interlock"}, {"priority", "enum8", enum="alarm_priority"}, {"state", "enum8", enum="alarm_state"}, {"uptime_ms", "int", unit="ms"}, {"sentence", "text"}}}}}},
  ["params"] = {name="Params", snake="params", fields={{"version", "int"}, {"params", "list", items={name="ParameterShown", snake="parameter_shown", fields={{"name", "text"}, {"unit", "text"}, {"scope", "enum8", enum="param_scope"}, {"value", "f64"}, {"minimum", "f64"}, {"maximum", "f64"}}}}}},
}

-- --- bytes: byte stuffing, checksum, texts -----------------------------------------------------------------------

-- Lua 5.1 and 5.2 have a library for this, which later versions have operators for that earlier ones cannot parse.
local bits = bit or bit32 or load([[return {
  band = function(a, b) return a & b end,
  bxor = function(a, b) return a ~ b end,
  rshift = function(a, n) return a >> n end,
}]])()
local band, bxor, rshift = bits.band, bits.bxor, bits.rshift

-- Some of these libraries have signed numbers, where others and the wire have not.
local function unsigned(number)
  return number % 4294967296
end

local CRC_TABLE = {}
for byte = 0, 255 do
  local crc = byte
  for _ = 1, 8 do
    local odd = crc % 2 == 1
    crc = rshift(crc, 1)
    if odd then crc = bxor(crc, 0x82F63B78) end
  end
  CRC_TABLE[byte] = crc
end

-- CRC-32C of the first `size` bytes.
local function crc32c(text, size)
  local crc = 0xFFFFFFFF
  for _, byte in ipairs({text:byte(1, size)}) do
    crc = bxor(rshift(crc, 8), CRC_TABLE[band(bxor(crc, byte), 0xFF)])
  end
  return unsigned(bxor(crc, 0xFFFFFFFF))
end

local function u16(text, at)
  local low, high = text:byte(at, at + 1)
  return low + 256 * high
end

local function u32(text, at)
  return u16(text, at) + 65536 * u16(text, at + 2)
end

-- COBS undone; nil where a code byte points past the end. There is no zero in `stuffed`.
local function unstuff(stuffed)
  local parts, at, size = {}, 1, #stuffed
  while at <= size do
    local code = stuffed:byte(at)
    if at + code > size + 1 then return nil end
    parts[#parts + 1] = stuffed:sub(at + 1, at + code - 1)
    at = at + code
    if code < 255 and at <= size then parts[#parts + 1] = "\0" end
  end
  return table.concat(parts)
end

-- The first reason why bytes between two zeros are no frame, or nil; and the bytes without their stuffing.
local function judge(stuffed)
  if #stuffed > MAX_ENCODED_SIZE then return "oversize" end
  local content = unstuff(stuffed)
  if content == nil then return "cobs" end
  if #content < HEADER_SIZE + CRC_SIZE then return "short", content end
  local received = u32(content, #content - CRC_SIZE + 1)
  local expected = crc32c(content, #content - CRC_SIZE)
  if received ~= expected then return "crc", content, expected, received end
  if content:byte(HEADER_SIZE) ~= #content - HEADER_SIZE - CRC_SIZE then return "length", content end
  return nil, content, expected, received
end

-- Least and greatest second byte of a character of UTF-8, where its first byte narrows them.
local SECOND = {[0xE0] = {0xA0, 0xBF}, [0xED] = {0x80, 0x9F}, [0xF0] = {0x90, 0xBF}, [0xF4] = {0x80, 0x8F}}

local function utf8_size(first)
  if first < 0x80 then return 1 end
  if first >= 0xC2 and first <= 0xDF then return 2 end
  if first >= 0xE0 and first <= 0xEF then return 3 end
  if first >= 0xF0 and first <= 0xF4 then return 4 end
  return nil
end

local function is_utf8(text)
  local at = 1
  while at <= #text do
    local first = text:byte(at)
    local size = utf8_size(first)
    if size == nil then return false end
    local range = SECOND[first] or {0x80, 0xBF}
    for place = at + 1, at + size - 1 do
      local byte = text:byte(place)
      if byte == nil or byte < range[1] or byte > range[2] then return false end
      range = {0x80, 0xBF}
    end
    at = at + size
  end
  return true
end

-- A text up to its NUL, as Wireshark may show it: where it is no UTF-8, without the bytes that make it none.
local function printable(text)
  text = text:match("^[^%z]*")
  if is_utf8(text) then return text end
  return (text:gsub("[\128-\255]", "?"))
end

-- What `data` completes, in the order of its bytes, after `kept` bytes that came before it: a list of { bytes between
-- two zeros, offset in `data` (below 0: it began before) }. Then what is kept, and whether it is being skipped since
-- it was too long.
local function split(data, kept, skipping)
  local found, start, from = {}, 1 - #kept, 1
  while true do
    local zero = data:find("\0", from, true)
    local piece = data:sub(from, (zero or #data + 1) - 1)
    if skipping then piece = "" else piece = kept .. piece end
    if zero == nil then
      kept = piece
      break
    end
    if #piece > 0 then found[#found + 1] = {piece, start - 1} end
    kept, skipping = "", false
    from, start = zero + 1, zero + 1
  end
  if #kept > MAX_ENCODED_SIZE then
    found[#found + 1] = {kept, start - 1}
    return found, "", true
  end
  return found, kept, skipping
end

-- --- fields: one for each value, by the tables -------------------------------------------------------------------

local hlp1 = Proto("hlp1", "Handpiece Link Protocol, " .. PROTOCOL .. ", " .. NOTICE)
local all_fields = {}

local function declare(field)
  all_fields[#all_fields + 1] = field
  return field
end

local NUMBERS = {
  u8 = ProtoField.uint8, u16 = ProtoField.uint16, u32 = ProtoField.uint32, u64 = ProtoField.uint64,
  i32 = ProtoField.int32, enum8 = ProtoField.uint8, int = ProtoField.uint32,
}
local SIZES = {
  u8 = 1, u16 = 2, u32 = 4, u64 = 8, i32 = 4, enum8 = 1, bool = 1, f64 = 8, bytes = 1, s16 = 16, s32 = 32, s120 = 120,
}

local function is_text(kind)
  return kind == "text" or kind:match("^s%d+$") ~= nil
end

local function new_field(abbreviation, spec)
  local name, kind = spec[1], spec[2]
  local unit = spec.unit and " " .. spec.unit
  if NUMBERS[kind] then
    if spec.enum then return NUMBERS[kind](abbreviation, name, base.DEC, ENUMS[spec.enum]) end
    if unit then return NUMBERS[kind](abbreviation, name, base.UNIT_STRING, {unit}) end
    return NUMBERS[kind](abbreviation, name, base.DEC)
  end
  if kind == "bool" then return ProtoField.bool(abbreviation, name) end
  if kind == "f64" then return ProtoField.double(abbreviation, name) end
  if kind == "bytes" then return ProtoField.bytes(abbreviation, name) end
  if is_text(kind) then return ProtoField.string(abbreviation, name, base.UNICODE) end
  error(abbreviation .. " has no type of Wireshark's: " .. kind)
end

-- Declare the fields of a struct, each as `spec.field`; the struct's own names of them begin with `prefix`.
local function declare_fields(struct, prefix)
  for _, spec in ipairs(struct.fields) do
    local abbreviation = prefix .. "." .. spec[1]
    if spec.items then
      declare_fields(spec.items, "hlp1." .. spec.items.snake)
    else
      spec.field = declare(new_field(abbreviation, spec))
    end
    if spec.nibbles then
      spec.parts = {}
      for place = 0, 7 do
        local mask = 0xF * 16 ^ place
        local label = "needle " .. place
        spec.parts[place] = declare(ProtoField.uint32(
          abbreviation .. ".needle_" .. place, label, base.DEC, ENUMS[spec.nibbles], mask))
      end
    end
  end
end

for _, message in pairs(MESSAGES) do declare_fields(message, "hlp1." .. message.snake) end
for _, record in pairs(RECORDS) do declare_fields(record, "hlp1.record." .. record.snake) end
for _, snapshot in pairs(SNAPSHOTS) do declare_fields(snapshot, "hlp1." .. snapshot.snake) end

local MESSAGE_NAMES, BY_NAME = {}, {}
for key, message in pairs(MESSAGES) do
  message.key = key
  MESSAGE_NAMES[key] = message.name
  BY_NAME[message.name] = message
end
local RECORD_BY_NAME = {}
for kind, record in pairs(RECORDS) do
  record.kind = kind
  RECORD_BY_NAME[record.name] = record
end

local shown = {
  message = ProtoField.string("hlp1.message", "message"),
  major = ProtoField.uint8("hlp1.major", "major version", base.DEC, nil, 0xF0),
  kind = ProtoField.uint8("hlp1.kind", "kind", base.DEC, ENUMS.kind, 0x0F),
  flags = ProtoField.uint8("hlp1.flags", "flags", base.HEX),
  signed = ProtoField.bool("hlp1.flags.signed", "SIGNED", 8, nil, 0x01),
  reply_wanted = ProtoField.bool("hlp1.flags.reply_wanted", "REPLY_WANTED", 8, nil, 0x02),
  retransmit = ProtoField.bool("hlp1.flags.retransmit", "RETRANSMIT", 8, nil, RETRANSMIT),
  replayed = ProtoField.bool("hlp1.flags.replayed", "REPLAYED", 8, nil, REPLAYED),
  must_understand = ProtoField.uint8("hlp1.flags.must_understand", "must-understand", base.HEX, nil, MUST_UNDERSTAND),
  ignorable = ProtoField.uint8("hlp1.flags.ignorable", "ignorable", base.HEX, nil, 0xC0),
  message_id = ProtoField.uint16("hlp1.message_id", "message id", base.HEX),
  seq = ProtoField.uint16("hlp1.seq", "seq", base.DEC),
  link_id = ProtoField.uint16("hlp1.link_id", "link id", base.DEC),
  correlation_id = ProtoField.uint16("hlp1.correlation_id", "correlation id", base.DEC),
  node = ProtoField.uint8("hlp1.node", "node", base.DEC),
  payload_size = ProtoField.uint8("hlp1.payload_size", "payload size", base.UNIT_STRING, {" B"}),
  payload = ProtoField.bytes("hlp1.payload", "payload"),
  later = ProtoField.bytes("hlp1.later", "fields of a later minor version"),
  crc = ProtoField.uint32("hlp1.crc", "CRC-32C", base.HEX),
  crc_expected = ProtoField.uint32("hlp1.crc.expected", "CRC-32C of these bytes", base.HEX),
  crc_good = ProtoField.bool("hlp1.crc.good", "CRC-32C is right"),
  record = ProtoField.string("hlp1.record", "journal record"),
  record_kind = ProtoField.uint8("hlp1.record.kind", "kind", base.DEC, ENUMS.record_kind),
  record_rest = ProtoField.bytes("hlp1.record.rest", "rest of the record"),
  bad_reason = ProtoField.string("hlp1.bad_frame", "no frame, reason"),
  bad_bytes = ProtoField.bytes("hlp1.bad_frame.bytes", "bytes between two zeros"),
  unfinished = ProtoField.bytes("hlp1.unfinished", "beginning of what is not finished here"),
  request_in = ProtoField.framenum("hlp1.request_in", "request in", base.NONE, frametype.REQUEST),
  received_in = ProtoField.framenum("hlp1.received_in", "RECEIVED in", base.NONE, frametype.ACK),
  response_in = ProtoField.framenum("hlp1.response_in", "response in", base.NONE, frametype.RESPONSE),
  response_time = ProtoField.relative_time("hlp1.response_time", "response time"),
  first_sent_in = ProtoField.framenum("hlp1.first_sent_in", "first sent in", base.NONE, frametype.RETRANS_PREV),
  event = ProtoField.string("hlp1.recorded_event", "event of the recording"),
  json = ProtoField.string("hlp1.json", "JSON", base.UNICODE),
  topic = ProtoField.string("hlp1.topic", "topic", base.UNICODE),
}
for _, field in pairs(shown) do declare(field) end
hlp1.fields = all_fields

local E, W, N, C = expert.severity.ERROR, expert.severity.WARN, expert.severity.NOTE, expert.severity.CHAT
local told = {
  bad_crc = ProtoExpert.new("hlp1.expert.bad_crc", "the checksum is not that of the rest", expert.group.CHECKSUM, E),
  malformed = ProtoExpert.new("hlp1.expert.malformed", "these bytes are no frame", expert.group.MALFORMED, E),
  bad_payload = ProtoExpert.new(
    "hlp1.expert.bad_payload", "the payload does not fit its message", expert.group.MALFORMED, E),
  bad_record = ProtoExpert.new("hlp1.expert.bad_record", "no journal record", expert.group.MALFORMED, W),
  unknown_message = ProtoExpert.new(
    "hlp1.expert.unknown_message", "kind and id name no message of minor " .. MINOR, expert.group.UNDECODED, W),
  other_major = ProtoExpert.new(
    "hlp1.expert.other_major", "another major version than " .. MAJOR, expert.group.PROTOCOL, W),
  must_understand = ProtoExpert.new(
    "hlp1.expert.must_understand", "a flag that must be understood", expert.group.PROTOCOL, W),
  refused = ProtoExpert.new("hlp1.expert.refused", "refused", expert.group.RESPONSE_CODE, N),
  failed = ProtoExpert.new("hlp1.expert.failed", "failed", expert.group.RESPONSE_CODE, W),
  aborted = ProtoExpert.new("hlp1.expert.aborted", "aborted", expert.group.RESPONSE_CODE, W),
  nak = ProtoExpert.new("hlp1.expert.nak", "NAK", expert.group.RESPONSE_CODE, W),
  retransmission = ProtoExpert.new("hlp1.expert.retransmission", "sent before", expert.group.SEQUENCE, N),
  replayed = ProtoExpert.new("hlp1.expert.replayed", "answered before", expert.group.SEQUENCE, N),
  no_request = ProtoExpert.new(
    "hlp1.expert.no_request", "what it answers is not in this capture", expert.group.SEQUENCE, C),
  no_response = ProtoExpert.new("hlp1.expert.no_response", "no answer is in this capture", expert.group.SEQUENCE, N),
}
local experts = {}
for _, one in pairs(told) do experts[#experts + 1] = one end
hlp1.experts = experts

-- Messages that say that something was not done -> what an expert is told of them.
local SAYS_NO = {Refused = told.refused, Failed = told.failed, Aborted = told.aborted, Nak = told.nak}

-- --- payload: the values of a message or record ------------------------------------------------------------------

local function complain(item, what, text)
  item:add_proto_expert_info(what, text)
end

-- A value for people, where it is short enough for the list of packets.
local function brief(spec, value)
  local names = spec.enum and ENUMS[spec.enum]
  return spec[1] .. "=" .. tostring(names and names[value] or value)
end

local MAX_WORDS = 2

-- A name, and the first of the words about it.
local function headline(name, words)
  return table.concat({name, words[1], words[MAX_WORDS]}, " ")
end

-- The reason why a number is none that the field may have, or nil.
local function outside(spec, value)
  if spec[2] == "f64" and (value ~= value or value == math.huge or value == -math.huge) then
    return "is not a finite number"
  end
  if spec.low and (value < spec.low or value > spec.high) then
    return "is outside " .. spec.low .. ".." .. spec.high
  end
  return nil
end

local function add_text(tree, spec, range)
  local raw = range:raw()
  local text, rest = raw:match("^([^%z]*)(.*)$")
  local value = printable(raw)
  local item = tree:add(spec.field, range, value)
  local wrong
  if rest:find("[^%z]") then wrong = "text goes on after its NUL" end
  if not is_utf8(text) then wrong = "text is no utf-8" end
  return item, value, wrong
end

-- One value of a fixed size: the item, the value, and what is wrong with it.
local function add_value(tree, spec, range)
  local kind = spec[2]
  if is_text(kind) then return add_text(tree, spec, range) end
  local item = tree:add_le(spec.field, range)
  local value
  if kind == "f64" then
    value = range:le_float()
  elseif kind == "i32" then
    value = range:le_int()
  elseif kind == "u64" then
    value = range:le_uint64()
  else
    value = range:le_uint()
  end
  if spec.parts then
    for place = 0, 7 do item:add_le(spec.parts[place], range) end
  end
  return item, value, outside(spec, value)
end

local function add_zero(tree, spec)
  local item
  if is_text(spec[2]) then item = tree:add(spec.field, "") else item = tree:add(spec.field, 0) end
  item:set_generated()
  item:append_text(" (of a later minor version than its sender's)")
end

local function add_record(tree, range)
  local kind = range(RECORD_KIND_OFFSET, 1):uint()
  local record = RECORDS[kind]
  local item = tree:add(shown.record, range, record and record.name or ("kind " .. kind))
  if record == nil then
    item:add(shown.record_kind, range(RECORD_KIND_OFFSET, 1))
    item:add(shown.record_rest, range)
    return
  end
  local at = 0
  for _, spec in ipairs(record.fields) do
    if at == RECORD_KIND_OFFSET then
      item:add(shown.record_kind, range(at, 1))
      at = at + 1
    end
    local size = SIZES[spec[2]]
    local cell, _, wrong = add_value(item, spec, range(at, size))
    if wrong then complain(cell, told.bad_record, spec[1] .. " " .. wrong) end
    at = at + size
  end
end

local function add_records(tree, range)
  local at = 0
  while at + RECORD_SIZE <= range:len() do
    add_record(tree, range(at, RECORD_SIZE))
    at = at + RECORD_SIZE
  end
  if at < range:len() then
    local item = tree:add(shown.record_rest, range(at))
    complain(item, told.bad_record, "a record of " .. range:len() - at .. " B, needs " .. RECORD_SIZE .. " B")
  end
end

-- An array up to the payload's end.
local function add_tail(tree, spec, range)
  local size = SIZES[spec[2]]
  if spec[2] == "bytes" then
    local item = tree:add(spec.field, range)
    if spec.records then add_records(item, range) end
    return
  end
  local at = 0
  while at + size <= range:len() do
    tree:add_le(spec.field, range(at, size))
    at = at + size
  end
  if at < range:len() then
    local item = tree:add(shown.later, range(at))
    complain(item, told.bad_payload, spec[1] .. " has no whole elements")
  end
end

-- All fields of a message; returns some of them as words for the list of packets.
local function add_payload(tree, message, tvb, start, finish)
  local words = {}
  local size = finish - start
  if size < message.least then
    complain(tree, told.bad_payload, message.name .. " has " .. size .. " B, needs " .. message.least .. " B")
    if size > 0 then tree:add(shown.payload, tvb(start, size)) end
    return words
  end
  local at = start
  for _, spec in ipairs(message.fields) do
    if spec.tail then
      if at < finish then add_tail(tree, spec, tvb(at, finish - at)) end
      at = finish
    elseif at + SIZES[spec[2]] > finish then
      add_zero(tree, spec)
      at = finish
    else
      local item, value, wrong = add_value(tree, spec, tvb(at, SIZES[spec[2]]))
      if wrong then complain(item, told.bad_payload, spec[1] .. " " .. wrong) end
      words[#words + 1] = brief(spec, value)
      at = at + SIZES[spec[2]]
    end
  end
  if at < finish then tree:add(shown.later, tvb(at, finish - at)) end
  return words
end

-- --- links: a request and its answers, by place, link id and correlation id --------------------------------------

-- Key -> the newest request of it: { frame, time, received_in, response_in, answered_at }.
local requests = {}
-- Packet and message -> what was found of it when the packet was read first: { request, role, early }. Only what was
-- found early, before all packets had been read, can tell that an answer never came.
local notes = {}

-- Place of a message: what its answers come over as well. HELLO has no link id yet, and WELCOME brings it.
local function key_of(place, message, header)
  local link = header.link_id
  if message.name == "Hello" or message.name == "Welcome" then link = "HELLO" end
  return table.concat({place, link, header.correlation_id}, "|")
end

local function role_of(message, header)
  if header.correlation_id == 0 then return nil end
  local kind = ENUMS.kind[header.kind]
  if kind == "COMMAND" or message.name == "Hello" then return "request" end
  if message.name == "Received" then return "received" end
  if kind == "PROGRESS" then return "progress" end
  if kind == "REPLY" or message.name == "Welcome" or message.name == "Nak" then return "response" end
  return nil
end

local function note_request(pinfo, key, header)
  local request = requests[key]
  if request and header.retransmit then return {request = request, role = "again"} end
  request = {frame = pinfo.number, time = pinfo.rel_ts}
  requests[key] = request
  return {request = request, role = "request"}
end

local function note_answer(pinfo, place, key, message, header, role)
  local request = requests[key]
  if request == nil and message.name == "Nak" then
    request = requests[table.concat({place, "HELLO", header.correlation_id}, "|")]
  end
  if request == nil then return {role = "orphan"} end
  if role == "received" then request.received_in = request.received_in or pinfo.number end
  if role == "response" then request.response_in = request.response_in or pinfo.number end
  return {request = request, role = role, after = pinfo.rel_ts - request.time}
end

local function note_of(pinfo, place, message, header)
  local role = role_of(message, header)
  if role == nil then return nil end
  local key = key_of(place, message, header)
  local id = table.concat({pinfo.number, header.link_id, header.correlation_id, header.seq, message.key}, "/")
  local note = notes[id]
  if note == nil then
    if role == "request" then
      note = note_request(pinfo, key, header)
    else
      note = note_answer(pinfo, place, key, message, header, role)
    end
    note.early = not pinfo.visited
    notes[id] = note
  end
  return note
end

local function seconds(time)
  local micros = math.floor(time * 1000000 + 0.5)
  return NSTime.new(math.floor(micros / 1000000), micros % 1000000 * 1000)
end

local function add_frame(tree, field, number)
  if number then tree:add(field, number):set_generated() end
end

-- Show what a message answers, or what answers it.
local function add_links(tree, pinfo, place, message, header)
  local note = note_of(pinfo, place, message, header)
  if header.retransmit then complain(tree, told.retransmission, "sent before: RETRANSMIT") end
  if header.replayed then complain(tree, told.replayed, "answered before, nothing was done for it now: REPLAYED") end
  if note == nil then return end
  local request = note.request
  if note.role == "orphan" then
    complain(tree, told.no_request, "what it answers is not in this capture")
  elseif note.role == "request" or note.role == "again" then
    if note.role == "again" then add_frame(tree, shown.first_sent_in, request.frame) end
    add_frame(tree, shown.received_in, request.received_in)
    add_frame(tree, shown.response_in, request.response_in)
    if pinfo.visited and note.early and not request.response_in then
      complain(tree, told.no_response, "no answer is in this capture")
    end
  else
    add_frame(tree, shown.request_in, request.frame)
    tree:add(shown.response_time, seconds(note.after)):set_generated()
  end
end

-- --- JSON: values with their places in the text ------------------------------------------------------------------

local MAX_DEPTH = 16
local ESCAPES = {b = "\b", f = "\f", n = "\n", r = "\r", t = "\t"}
local read_value

local function utf8_of(point)
  if point < 0x80 then return string.char(point) end
  if point < 0x800 then return string.char(0xC0 + math.floor(point / 64), 0x80 + point % 64) end
  local tail = string.char(0x80 + math.floor(point / 64) % 64, 0x80 + point % 64)
  if point < 0x10000 then return string.char(0xE0 + math.floor(point / 4096)) .. tail end
  return string.char(0xF0 + math.floor(point / 262144), 0x80 + math.floor(point / 4096) % 64) .. tail
end

local function skip_space(text, at)
  return text:match("^[ \t\r\n]*()", at)
end

-- The character that `\u` and four digits at `at` stand for, together with a second one where it is half of a pair.
local function read_unicode(text, at)
  local point = tonumber(text:match("^%x%x%x%x", at + 2) or error("not four digits of hex", 0), 16)
  at = at + 6
  local low = point >= 0xD800 and point < 0xDC00 and text:match("^\\u([dD][c-fC-F]%x%x)", at)
  if low then
    return utf8_of(0x10000 + (point - 0xD800) * 1024 + tonumber(low, 16) - 0xDC00), at + 6
  end
  return utf8_of(point), at
end

local function read_string(text, at)
  local parts, from = {}, at
  at = at + 1
  while true do
    local stop = text:find('["\\]', at)
    if stop == nil then error("a string without an end", 0) end
    parts[#parts + 1] = text:sub(at, stop - 1)
    if text:sub(stop, stop) == '"' then
      return {kind = "string", value = table.concat(parts), from = from, to = stop}
    end
    local letter = text:sub(stop + 1, stop + 1)
    if letter == "u" then
      parts[#parts + 1], at = read_unicode(text, stop)
    else
      parts[#parts + 1], at = ESCAPES[letter] or letter, stop + 2
    end
  end
end

-- What is between two brackets, comma by comma; `read_one` reads one and returns the place behind it.
local function read_many(text, node, close, read_one)
  local at = skip_space(text, node.from + 1)
  if text:sub(at, at) == close then
    node.to = at
    return node
  end
  while true do
    at = skip_space(text, read_one(at))
    local mark = text:sub(at, at)
    if mark == close then
      node.to = at
      return node
    end
    if mark ~= "," then error("no comma at " .. at, 0) end
    at = skip_space(text, at + 1)
  end
end

local function read_object(text, at, depth)
  local node = {kind = "object", from = at, names = {}, value = {}}
  return read_many(text, node, "}", function(place)
    if text:sub(place, place) ~= '"' then error("no name at " .. place, 0) end
    local name = read_string(text, place)
    place = skip_space(text, name.to + 1)
    if text:sub(place, place) ~= ":" then error("no colon at " .. place, 0) end
    local value = read_value(text, skip_space(text, place + 1), depth + 1)
    if value.kind ~= "null" then -- as if it were not there
      node.names[#node.names + 1] = name.value
      node.value[name.value] = value
    end
    return value.to + 1
  end)
end

local function read_array(text, at, depth)
  local node = {kind = "array", from = at, value = {}}
  return read_many(text, node, "]", function(place)
    local value = read_value(text, place, depth + 1)
    node.value[#node.value + 1] = value
    return value.to + 1
  end)
end

local WORDS = {["true"] = {"bool", true}, ["false"] = {"bool", false}, ["null"] = {"null", nil}}

function read_value(text, at, depth)
  if depth > MAX_DEPTH then error("deeper than " .. MAX_DEPTH, 0) end
  local first = text:sub(at, at)
  if first == '"' then return read_string(text, at) end
  if first == "{" then return read_object(text, at, depth) end
  if first == "[" then return read_array(text, at, depth) end
  local word = text:match("^%a+", at)
  if word and WORDS[word] then
    return {kind = WORDS[word][1], value = WORDS[word][2], from = at, to = at + #word - 1}
  end
  local digits = text:match("^-?%d+%.?%d*[eE]?[+-]?%d*", at)
  local number = digits and tonumber(digits)
  if number == nil then error("no value at " .. at, 0) end
  return {kind = "number", value = number, digits = digits, from = at, to = at + #digits - 1}
end

-- The object that a text is, or nil and the reason.
local function read_json(text)
  local good, value = pcall(function()
    local node = read_value(text, skip_space(text, 1), 1)
    if skip_space(text, node.to + 1) <= #text then error("more behind its end", 0) end
    return node
  end)
  if not good then return nil, tostring(value) end
  if value.kind ~= "object" then return nil, "no object" end
  return value
end

-- --- bodies: messages as JSON, as MQTT's publications have them --------------------------------------------------

local NUMBER_OF = {}
for enum, names in pairs(ENUMS) do
  NUMBER_OF[enum] = {}
  for number, name in pairs(names) do NUMBER_OF[enum][name] = number end
end

local function range_of(tvb, node)
  return tvb(node.from - 1, node.to - node.from + 1)
end

local function wide_of(digits)
  local value = UInt64(0, 0)
  for digit in digits:gmatch("%d") do value = value * 10 + tonumber(digit) end
  return value
end

local function bytes_of(hex)
  if #hex % 2 == 1 or hex:find("%X") then return nil end
  return ByteArray.new(hex)
end

local EXPECTED = {
  bool = "bool", f64 = "number", bytes = "string", enum8 = "string", u64 = "string", text = "string", s16 = "string",
  s32 = "string", s120 = "string",
}

-- The value of a field as Wireshark takes it, or nil and what is wrong.
local function value_of(spec, node)
  local kind = spec[2]
  if kind == "u64" and node.kind == "number" then return wide_of(node.digits) end
  local expected = EXPECTED[kind] or "number"
  if node.kind ~= expected then return nil, "is no " .. expected end
  if kind == "enum8" then return NUMBER_OF[spec.enum][node.value] or 255 end
  if kind == "u64" then return wide_of(node.value) end
  if kind == "bytes" then return bytes_of(node.value), "has no bytes in hex" end
  if expected == "number" and kind ~= "f64" and node.value ~= math.floor(node.value) then
    return nil, "is no whole number"
  end
  return node.value
end

local add_members

local function add_json_record(tree, tvb, node)
  local name = node.kind == "object" and node.value.record
  local record = name and RECORD_BY_NAME[name.value]
  local item = tree:add(shown.record, range_of(tvb, node), record and record.name or "of a kind that is not known")
  if record then
    item:add(shown.record_kind, range_of(tvb, name), record.kind)
    add_members(item, tvb, record, node, told.bad_record)
  else
    item:add(shown.json, range_of(tvb, node), printable(range_of(tvb, node):raw()))
  end
end

local function add_list(tree, tvb, spec, node)
  if node.kind ~= "array" then return complain(tree, told.bad_payload, spec[1] .. " is no list") end
  for _, one in ipairs(node.value) do
    if spec.records then
      add_json_record(tree, tvb, one)
    elseif spec.items then
      local item = tree:add(hlp1, range_of(tvb, one), spec.items.name)
      add_members(item, tvb, spec.items, one, told.bad_payload)
    elseif one.kind == "number" then
      tree:add(spec.field, range_of(tvb, one), one.value)
    else
      complain(tree, told.bad_payload, spec[1] .. " has a " .. one.kind)
    end
  end
end

local function add_member(tree, tvb, spec, node, expert)
  if spec.records or spec.items or (spec.tail and spec[2] ~= "bytes") then return add_list(tree, tvb, spec, node) end
  local value, wrong = value_of(spec, node)
  if value == nil then return complain(tree, expert, spec[1] .. " " .. wrong) end
  if spec[2] == "bytes" then
    if value:len() > 0 then tree:add(spec.field, value:tvb(spec[1])()) end
    return value
  end
  local item = tree:add(spec.field, range_of(tvb, node), value)
  if spec.parts then
    for place = 0, 7 do item:add(spec.parts[place], range_of(tvb, node), value) end
  end
  wrong = outside(spec, value)
  if wrong then complain(item, expert, spec[1] .. " " .. wrong) end
  return value
end

-- The fields of an object by the table of a message, a record or a retained body; returns some as words.
function add_members(tree, tvb, struct, node, expert)
  local words = {}
  if node.kind ~= "object" then
    complain(tree, expert, struct.name .. " is no object")
    return words
  end
  for _, spec in ipairs(struct.fields) do
    local member = node.value[spec[1]]
    if member then
      local value = add_member(tree, tvb, spec, member, expert)
      if value ~= nil then words[#words + 1] = brief(spec, value) end
    elseif not spec.since then
      complain(tree, expert, spec[1] .. " is missing")
    end
  end
  return words
end

-- The levels of a topic behind those of its device, and the first of them.
local function levels_of(topic)
  local levels = topic and topic:match("^[^/]+/v" .. MAJOR .. "/[^/]+/[^/]+/(.+)$")
  return levels, levels and levels:match("^[^/]+")
end

local function message_of(body, levels)
  local said = body.value.message
  if said then return BY_NAME[said.value], said end
  local name = levels and levels:match("^command/(.+)$")
  for _, message in pairs(MESSAGES) do
    if message.snake == name then return message end
  end
  return nil
end

local JSON_FLAGS = {RETRANSMIT = "retransmit", REPLAYED = "replayed"}

local function add_json_header(tree, tvb, message, body)
  local header = {kind = message.kind}
  tree:add(shown.kind, message.kind):set_generated()
  for _, name in ipairs({"seq", "link_id", "correlation_id"}) do
    local node = body.value[name]
    header[name] = node and node.kind == "number" and node.value or 0
    if node and node.kind == "number" then tree:add(shown[name], range_of(tvb, node), node.value) end
  end
  local flags = body.value.flags
  for _, node in ipairs(flags and flags.kind == "array" and flags.value or {}) do
    local flag = JSON_FLAGS[node.value]
    if flag then
      header[flag] = true
      tree:add(shown[flag], range_of(tvb, node), flag == "retransmit" and RETRANSMIT or REPLAYED)
    end
  end
  return header
end

local function add_message_body(tree, tvb, pinfo, place, message, said, body)
  local item = tree:add(shown.message, said and range_of(tvb, said) or tvb(), message.name)
  local header = add_json_header(tree, tvb, message, body)
  add_links(item, pinfo, place, message, header)
  local payload = body.value.payload or {kind = "object", value = {}}
  local words = add_members(item, tvb, message, payload, told.bad_payload)
  local sentence = payload.kind == "object" and payload.value.sentence
  if SAYS_NO[message.name] then complain(item, SAYS_NO[message.name], sentence and sentence.value or message.name) end
  return words
end

-- A body by itself, of a topic or of none that is known; returns what the list of packets says of it.
local function add_body(tree, tvb, pinfo, place, topic)
  local text = tvb:raw()
  local levels, first = levels_of(topic)
  if text == "" then return "nothing retained on " .. (first or "a topic") end
  local item = tree:add(hlp1, tvb(), PROTOCOL .. " body" .. (levels and " of " .. levels or ""))
  local body, wrong = read_json(text)
  if body == nil then
    complain(item, told.bad_payload, "the body is not JSON: " .. wrong)
    return "a body that is not JSON"
  end
  local struct = first and SNAPSHOTS[first]
  if first == "info" then
    for _, message in pairs(MESSAGES) do struct = message.topic == first and message or struct end
  end
  if struct then
    item:add(shown.message, tvb(), struct.name):set_generated()
    return headline(first, add_members(item, tvb, struct, body, told.bad_payload))
  end
  local message, said = message_of(body, levels)
  if message == nil then
    complain(item, told.unknown_message, "no message of minor " .. MINOR)
    return "unknown message"
  end
  local words = add_message_body(item, tvb, pinfo, place, message, said, body)
  return headline(message.name, words)
end

-- --- frames, and where they come from ----------------------------------------------------------------------------

local function read_header(content)
  local first, flags = content:byte(1, 2)
  return {
    major = math.floor(first / 16),
    kind = first % 16,
    message_id = u16(content, 3),
    seq = u16(content, 5),
    link_id = u16(content, 7),
    correlation_id = u16(content, 9),
    retransmit = band(flags, RETRANSMIT) ~= 0,
    replayed = band(flags, REPLAYED) ~= 0,
    must_understand = band(flags, MUST_UNDERSTAND) ~= 0,
  }
end

local function add_header(tree, tvb, header)
  tree:add(shown.major, tvb(0, 1))
  tree:add(shown.kind, tvb(0, 1))
  local flags = tree:add(shown.flags, tvb(1, 1))
  for _, name in ipairs({"ignorable", "must_understand", "replayed", "retransmit", "reply_wanted", "signed"}) do
    flags:add(shown[name], tvb(1, 1))
  end
  tree:add_le(shown.message_id, tvb(2, 2))
  tree:add_le(shown.seq, tvb(4, 2))
  tree:add_le(shown.link_id, tvb(6, 2))
  tree:add_le(shown.correlation_id, tvb(8, 2))
  tree:add(shown.node, tvb(10, 1))
  tree:add(shown.payload_size, tvb(11, 1))
  if header.major ~= MAJOR then
    complain(tree, told.other_major, "major version " .. header.major .. ", and this is " .. MAJOR)
  end
  if header.must_understand then complain(flags, told.must_understand, "a flag that must be understood is set") end
end

local function add_crc(tree, range, expected, received)
  local item = tree:add_le(shown.crc, range)
  tree:add(shown.crc_good, range, expected == received):set_generated()
  if expected ~= received then
    tree:add(shown.crc_expected, range, expected):set_generated()
    complain(item, told.bad_crc, string.format("CRC-32C is 0x%08x, these bytes need 0x%08x", received, expected))
  end
end

local function sentence_of(message, tvb, start, finish)
  local at = start
  for _, spec in ipairs(message.fields) do
    if spec[1] == "sentence" and at + SIZES[spec[2]] <= finish then
      return printable(tvb(at, SIZES[spec[2]]):raw())
    end
    at = at + SIZES[spec[2]]
  end
  return message.name
end

local function add_good_frame(tree, tvb, pinfo, place, header)
  local finish = tvb:len() - CRC_SIZE
  local message = header.major == MAJOR and MESSAGES[header.kind * 65536 + header.message_id]
  if not message then
    if finish > HEADER_SIZE then tree:add(shown.payload, tvb(HEADER_SIZE, finish - HEADER_SIZE)) end
    local text = string.format("%s 0x%04X", ENUMS.kind[header.kind] or ("kind " .. header.kind), header.message_id)
    if header.major == MAJOR then complain(tree, told.unknown_message, text .. " is no message of minor " .. MINOR) end
    return "unknown " .. text
  end
  local range = finish > HEADER_SIZE and tvb(HEADER_SIZE, finish - HEADER_SIZE) or tvb(0, HEADER_SIZE)
  local item = tree:add(shown.message, range, message.name)
  add_links(item, pinfo, place, message, header)
  local words = add_payload(item, message, tvb, HEADER_SIZE, finish)
  if SAYS_NO[message.name] then
    complain(item, SAYS_NO[message.name], sentence_of(message, tvb, HEADER_SIZE, finish))
  end
  return headline(message.name, words)
end

local function add_bad_frame(tree, range, reason, content, expected, received)
  local item = tree:add(shown.bad_reason, range, reason)
  item:add(shown.bad_bytes, range)
  if reason == "crc" then
    local tvb = ByteArray.new(content, true):tvb("without stuffing")
    add_header(item, tvb, read_header(content))
    add_crc(item, tvb(#content - CRC_SIZE, CRC_SIZE), expected, received)
  else
    complain(item, told.malformed, "no frame: " .. reason)
  end
  return "no frame: " .. reason
end

-- What is between two zeros, of which `range` is what is to be shown as its bytes.
local function add_piece(tree, range, pinfo, place, stuffed)
  local reason, content, expected, received = judge(stuffed)
  local item = tree:add(hlp1, range, PROTOCOL .. " frame")
  if reason then
    item:set_text(PROTOCOL .. ", bytes that are no frame")
    return add_bad_frame(item, range, reason, content, expected, received)
  end
  local tvb = ByteArray.new(content, true):tvb("without stuffing")
  local header = read_header(content)
  add_header(item, tvb, header)
  local said = add_good_frame(item, tvb, pinfo, place, header)
  add_crc(item, tvb(#content - CRC_SIZE, CRC_SIZE), expected, received)
  item:append_text(": " .. said)
  return said
end

local function add_pieces(tree, tvb, pinfo, place, pieces)
  local words = {}
  for _, piece in ipairs(pieces) do
    local stuffed, at = piece[1], piece[2]
    local range
    if at >= 0 then
      range = tvb(at, #stuffed)
    else -- it began before: its bytes get a page of their own
      range = ByteArray.new(stuffed, true):tvb("with what came before")()
    end
    words[#words + 1] = add_piece(tree, range, pinfo, place, stuffed)
  end
  return words
end

-- --- pieces of bytes that are packets: a recording ---------------------------------------------------------------

-- None of these is there in the first of the two looks of `tshark -2`, unless a filter asks for it: so nothing but the
-- name of the port depends on them.
local get = {
  interface = Field.new("frame.interface_id"),
  topic = Field.new("mqtt.topic"),
}
local UNKNOWN_PORT = "?"

local function newest(field)
  local all = {field()}
  return #all > 0 and all[#all].value or nil
end

-- Direction of a port -> what is kept of its bytes, and whether they are being skipped; and the same before a packet.
local kept_bytes, before = {}, {}

local function carry(pinfo, key, data)
  local at = pinfo.number .. "|" .. key
  local was = before[at]
  if was == nil then
    was = kept_bytes[key] or {"", false}
    before[at] = was
    local _, kept, skipping = split(data, was[1], was[2])
    kept_bytes[key] = {kept, skipping}
  end
  return split(data, was[1], was[2])
end

local function add_recorded_bytes(tree, tvb, pinfo, port)
  local pieces, kept, skipping = carry(pinfo, port .. "|" .. pinfo.p2p_dir, tvb:raw())
  local words = add_pieces(tree, tvb, pinfo, port, pieces)
  local size = math.min(#kept, tvb:len())
  if size > 0 then tree:add(hlp1, tvb(tvb:len() - size)):add(shown.unfinished, tvb(tvb:len() - size)) end
  if #words == 0 then words[1] = skipping and "more of what is too long" or "a part of a frame" end
  return words
end

-- A publication of a recording: an object whose body is a text, with its properties.
local function add_publication(tree, tvb, pinfo, port, publication)
  local topic, body = publication.value.topic, publication.value.body
  local item = tree:add(hlp1, tvb(), PROTOCOL .. " publication")
  item:add(shown.topic, range_of(tvb, topic), topic.value)
  if body == nil or body.value == "" then return {"nothing on " .. topic.value} end
  local inner = ByteArray.new(body.value, true):tvb("body")
  return {add_body(item, inner, pinfo, port, topic.value)}
end

local function add_event(tree, tvb, event)
  local item = tree:add(hlp1, tvb(), PROTOCOL .. " recording")
  item:add(shown.event, range_of(tvb, event), event.value)
  item:add(shown.json, tvb(), printable(tvb:raw()))
  return {"event " .. event.value}
end

local function add_recorded(tree, tvb, pinfo)
  local port = tostring(newest(get.interface) or UNKNOWN_PORT)
  local text = tvb:raw()
  if text:sub(1, 1) == "{" then
    local object = read_json(text)
    if object and object.value.event then return add_event(tree, tvb, object.value.event) end
    if object and object.value.topic then return add_publication(tree, tvb, pinfo, port, object) end
  end
  return add_recorded_bytes(tree, tvb, pinfo, port)
end

local function show_direction(pinfo)
  if pinfo.p2p_dir == P2P_DIR_RECV then
    pinfo.cols.src, pinfo.cols.dst = "host", "device"
  elseif pinfo.p2p_dir == P2P_DIR_SENT then
    pinfo.cols.src, pinfo.cols.dst = "device", "host"
  end
end

-- --- TCP ---------------------------------------------------------------------------------------------------------

-- Stream and direction -> in the midst of what is too long; and the same before a segment.
local skipping_in, skipped_before = {}, {}

-- A connection by its two ends, and its direction by the sender's.
local function ends_of(pinfo)
  local sender = tostring(pinfo.src) .. ":" .. pinfo.src_port
  local receiver = tostring(pinfo.dst) .. ":" .. pinfo.dst_port
  if sender < receiver then return sender .. "-" .. receiver, sender end
  return receiver .. "-" .. sender, sender
end

local function add_segment(tree, tvb, pinfo)
  local place, sender = ends_of(pinfo)
  local key = place .. "|" .. sender
  local at = pinfo.number .. "|" .. key .. "|" .. tvb:offset()
  if skipped_before[at] == nil then skipped_before[at] = skipping_in[key] or false end
  local pieces, kept, skipping = split(tvb:raw(), "", skipped_before[at])
  skipping_in[key] = skipping
  if #kept > 0 and pinfo.can_desegment > 0 then
    pinfo.desegment_offset = tvb:len() - #kept
    pinfo.desegment_len = DESEGMENT_ONE_MORE_SEGMENT
  end
  local words = add_pieces(tree, tvb, pinfo, place, pieces)
  if #words == 0 then words[1] = "a part of a frame" end
  return words
end

local function show_words(pinfo, words)
  pinfo.cols.protocol = PROTOCOL
  pinfo.cols.info = table.concat(words, "; ")
end

function hlp1.dissector(tvb, pinfo, tree)
  if tvb:len() == 0 then return 0 end
  if pinfo.src_port ~= 0 then
    show_words(pinfo, add_segment(tree, tvb, pinfo))
  else
    show_direction(pinfo)
    show_words(pinfo, add_recorded(tree, tvb, pinfo))
  end
  return tvb:len()
end

function hlp1.init()
  requests, notes, kept_bytes, before, skipping_in, skipped_before = {}, {}, {}, {}, {}, {}
end

-- A stream is taken for this protocol by its first segment that begins with a whole good frame.
local function begins_with_a_frame(tvb)
  local stuffed = tvb:raw():match("^%z+([^%z]+)%z")
  return stuffed ~= nil and judge(stuffed) == nil
end

hlp1:register_heuristic("tcp", function(tvb, pinfo, tree)
  if tvb:len() < HEADER_SIZE or not begins_with_a_frame(tvb) then return false end
  hlp1.dissector(tvb, pinfo, tree)
  pinfo.conversation = hlp1
  return true
end)

-- A body is known by the message that it names, and what names none by its topic.
local OTHER_LEVELS = {info = true, event = true, heartbeat = true, telemetry = true, command = true, reply = true}

local function is_body(tvb, first)
  local name = tvb:raw():match('^{"message":"(%w+)"')
  return BY_NAME[name] ~= nil or (first ~= nil and (SNAPSHOTS[first] ~= nil or OTHER_LEVELS[first] ~= nil))
end

hlp1:register_heuristic("mqtt.topic", function(tvb, pinfo, tree)
  local topic = newest(get.topic)
  local _, first = levels_of(topic)
  if not is_body(tvb, first) then return false end
  show_words(pinfo, {add_body(tree, tvb, pinfo, (ends_of(pinfo)), topic)})
  return true
end)

hlp1.prefs.tcp_ports = Pref.range("TCP ports", "", "Ports whose streams are " .. PROTOCOL .. " from their first byte", 65535)

local taken = ""
function hlp1.prefs_changed()
  local ports = DissectorTable.get("tcp.port")
  if taken ~= "" then ports:remove(taken, hlp1) end
  taken = hlp1.prefs.tcp_ports
  if taken ~= "" then ports:add(taken, hlp1) end
end

DissectorTable.get("tcp.port"):add_for_decode_as(hlp1)
DissectorTable.get("wtap_encap"):add(wtap.USER0, hlp1)
