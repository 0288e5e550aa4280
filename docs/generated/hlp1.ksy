# TRAINING SIMULATOR - NOT A MEDICAL DEVICE
meta:
  id: hlp1
  title: "HLP/1, the Handpiece Link Protocol"
  license: MIT
  ks-version: 0.9
  endian: le
doc: |
  HLP/1, the Handpiece Link Protocol, minor 1: one frame without its zeros and its byte stuffing.
  TRAINING SIMULATOR - NOT A MEDICAL DEVICE.

  On the wire a frame is 00, COBS of these bytes, 00. Undo COBS first, and hold the CRC-32C in the last four bytes against
  the rest: neither can be said here. A text goes up to its first NUL; that nothing follows it is not checked here.
  Made from the models of the messages: to change it, change the code.
seq:
  - id: header
    type: header
  - id: payload
    size: "header.payload_size"
    type:
      switch-on: "header.message_key"
      cases:
        0x70001: hello
        0x70002: welcome
        0x70003: heartbeat
        0x70004: host_heartbeat
        0x70005: bye
        0x70006: nak
        0x00007: echo
        0x10007: echo_done
        0x10010: received
        0x20011: progress
        0x10012: refused
        0x10013: failed
        0x10014: aborted
        0x00101: device_info
        0x10101: device_info_done
        0x00201: param_list
        0x10201: param_list_done
        0x00202: param_get
        0x10202: param_get_done
        0x00203: param_set
        0x10203: param_set_done
        0x00301: session_open
        0x10301: session_open_done
        0x00302: anesthesia_start
        0x10302: anesthesia_start_done
        0x00303: anesthesia_confirm
        0x10303: anesthesia_confirm_done
        0x00304: arm
        0x10304: arm_done
        0x00305: disarm
        0x10305: disarm_done
        0x00306: reposition
        0x10306: reposition_done
        0x00307: punch
        0x10307: punch_done
        0x00308: suction
        0x10308: suction_done
        0x00309: advance
        0x10309: advance_done
        0x0030a: count
        0x1030a: count_done
        0x0030b: purge
        0x1030b: purge_done
        0x0030c: pause
        0x1030c: pause_done
        0x0030d: resume
        0x1030d: resume_done
        0x0030e: stop
        0x1030e: stop_done
        0x0030f: fault_reset
        0x1030f: fault_reset_done
        0x00310: session_close
        0x10310: session_close_done
        0x00401: stream_set
        0x10401: stream_set_done
        0x40402: telemetry_state
        0x30501: event
        0x00502: journal_read
        0x10502: journal_page
        0x00503: journal_ack
        0x10503: journal_ack_done
        0x50601: alarm
        0x00602: alarm_list
        0x10602: alarm_list_done
        0x00603: alarm_ack
        0x10603: alarm_ack_done
        0x00f01: truth_get
        0x10f01: truth_get_done
        0x00f02: fault_inject
        0x10f02: fault_inject_done
        0x00f03: fault_clear
        0x10f03: fault_clear_done
        0x00f04: fault_get
        0x10f04: fault_get_done
        0x00f05: power_cut
        0x10f05: power_cut_done
  - id: crc
    type: u4
    doc: "CRC-32C of all bytes before it."
types:
  header:
    doc: "The 12 bytes before each payload."
    seq:
      - id: major
        type: b4
        valid: 1
      - id: kind
        type: b4
        enum: kind
      - id: ignorable
        type: b2
        doc: "A receiver that does not know such a bit takes the frame as if it were clear."
      - id: must_understand
        type: b2
        doc: "A receiver that does not know such a bit does not act on the frame."
      - id: is_replayed
        type: b1
        doc: "This answer was given before: nothing was done for it now."
      - id: is_retransmit
        type: b1
        doc: "This frame was sent before."
      - id: is_reply_wanted
        type: b1
        doc: "The sender waits for an answer."
      - id: is_signed
        type: b1
        doc: "Reserved."
      - id: message_id
        type: u2
      - id: seq
        type: u2
      - id: link_id
        type: u2
      - id: correlation_id
        type: u2
      - id: node
        type: u1
      - id: payload_size
        type: u1
    instances:
      message_key:
        value: "kind.to_i << 16 | message_id"
        doc: "Name of the message: its kind and its id."
  hello:
    doc: |
      LINK 0x0001. The host asks for a link. Sent with link id 0; answered by WELCOME, or by NAK.

      NAK is E_VERSION, E_SCHEMA or E_ARGUMENT for what HELLO says, E_STORAGE where the device's memory is full, E_BUSY
      where a device behind a broker has hosts enough. No payload that the device sends on the link is longer than
      `max_payload_size`.
    seq:
      - id: majors
        type: u2
      - id: minor
        type: u1
      - id: role
        type: u1
        enum: role
      - id: features
        type: u8
      - id: schema_id
        type: u4
      - id: host_id
        type: u4
      - id: max_payload_size
        type: u1
        valid:
          min: 131
          max: 224
        doc: "Unit: B."
      - id: nonce
        type: u4
  welcome:
    doc: "LINK 0x0002. The device grants a link and says where it stands."
    seq:
      - id: link_id
        type: u2
      - id: minor
        type: u1
      - id: role
        type: u1
        enum: role
      - id: features
        type: u8
      - id: schema_id
        type: u4
      - id: nonce
        type: u4
      - id: boot_count
        type: u4
      - id: heartbeat_armed_ms
        type: u2
        doc: "Unit: ms."
      - id: lease_armed_ms
        type: u2
        doc: "Unit: ms."
      - id: heartbeat_idle_ms
        type: u2
        doc: "Unit: ms."
      - id: lease_idle_ms
        type: u2
        doc: "Unit: ms."
      - id: journal_epoch
        type: u4
      - id: journal_tail
        type: u4
      - id: journal_head
        type: u4
      - id: session_no
        type: u4
      - id: cycle_no
        type: u4
      - id: cycles
        type: u4
      - id: punctures
        type: u4
      - id: cores_counted
        type: u4
      - id: state
        type: u1
        enum: device_state
      - id: simulated_byte
        type: u1
      - id: uptime_ms
        type: u4
        doc: "Unit: ms."
      - id: controller_host_id
        type: u4
      - id: model_version
        size: 16
        type: strz
        encoding: "UTF-8"
    instances:
      simulated:
        value: "simulated_byte != 0"
  heartbeat:
    doc: "LINK 0x0003. The device has been silent for heartbeat_ms; this is its snapshot. 0 in `running_correlation_id`: nothing runs."
    seq:
      - id: state
        type: u1
        enum: device_state
      - id: highest_alarm
        type: u1
        enum: alarm_priority
      - id: trigger_held_byte
        type: u1
      - id: running_correlation_id
        type: u2
      - id: cycle_no
        type: u4
      - id: cycles
        type: u4
      - id: punctures
        type: u4
      - id: cores_counted
        type: u4
      - id: journal_head
        type: u4
      - id: params_hash
        type: u4
      - id: uptime_ms
        type: u4
        doc: "Unit: ms."
    instances:
      trigger_held:
        value: "trigger_held_byte != 0"
  host_heartbeat:
    doc: "LINK 0x0004. The host has been silent for heartbeat_ms. Renews the lease of its own link, as any valid frame there does."
    seq: []
  bye:
    doc: "LINK 0x0005. An end leaves the link. From a controlling host it has the reaction of a lost link, at once."
    seq:
      - id: reason
        type: u1
        enum: bye_reason
  nak:
    doc: |
      LINK 0x0006. A frame with a good CRC could not be taken. `seq` is that frame's; at most ten a second are sent.

      `expected` and `actual` are the two values that disagree, where there are two (schema ids, link ids, majors).
    seq:
      - id: code
        type: u1
        enum: code
      - id: seq
        type: u2
      - id: expected
        type: u4
      - id: actual
        type: u4
      - id: sentence
        size: 120
        type: strz
        encoding: "UTF-8"
  echo:
    doc: "COMMAND 0x0007. Ask for the same bytes back."
    seq:
      - id: data
        size-eos: true
  echo_done:
    doc: "REPLY 0x0007. The bytes of the ECHO."
    seq:
      - id: data
        size-eos: true
  received:
    doc: "REPLY 0x0010. A motion was accepted and has begun; DONE is expected after `expected_ms`."
    seq:
      - id: expected_ms
        type: u4
        doc: "Unit: ms."
  progress:
    doc: "PROGRESS 0x0011. A motion is still under way; sent once a second while it lasts."
    seq:
      - id: state
        type: u1
        enum: device_state
      - id: elapsed_ms
        type: u4
        doc: "Unit: ms."
      - id: expected_ms
        type: u4
        doc: "Unit: ms."
  refused:
    doc: |
      REPLY 0x0012. A lawful no: nothing was begun. `interlock` is its number in the table of interlocks, 0 where none spoke.

      `expected` and `actual` are the two values that disagree, where there are two; for E_BUSY `actual` is the
      host id of the holder.
    seq:
      - id: code
        type: u1
        enum: code
      - id: interlock
        type: u1
      - id: expected
        type: u4
      - id: actual
        type: u4
      - id: sentence
        size: 120
        type: strz
        encoding: "UTF-8"
  failed:
    doc: "REPLY 0x0013. A motion was begun and the device could not finish it."
    seq:
      - id: code
        type: u1
        enum: code
      - id: interlock
        type: u1
      - id: alarm_code
        type: u2
      - id: sentence
        size: 120
        type: strz
        encoding: "UTF-8"
  aborted:
    doc: "REPLY 0x0014. A motion was begun and was stopped from outside: by STOP, a lost link, the emergency stop or a reboot."
    seq:
      - id: code
        type: u1
        enum: code
      - id: ending
        type: u1
        enum: ending
      - id: phase
        type: u1
        enum: phase
      - id: sentence
        size: 120
        type: strz
        encoding: "UTF-8"
  device_info:
    doc: "COMMAND 0x0101. Ask for the device's identity."
    seq: []
  device_info_done:
    doc: "REPLY 0x0101. The device's identity. `seed` is 0 on a real device; `has_truth` says whether TRUTH_GET is answered."
    seq:
      - id: model
        size: 32
        type: strz
        encoding: "UTF-8"
      - id: serial
        size: 16
        type: strz
        encoding: "UTF-8"
      - id: firmware_version
        size: 16
        type: strz
        encoding: "UTF-8"
      - id: model_version
        size: 16
        type: strz
        encoding: "UTF-8"
      - id: simulated_byte
        type: u1
      - id: has_truth_byte
        type: u1
      - id: seed
        type: u8
      - id: needles
        type: u1
      - id: core_diameter_um
        type: u2
        doc: "Unit: um."
      - id: cartridge_serial
        type: u4
      - id: cartridge_life_cycles
        type: u4
    instances:
      simulated:
        value: "simulated_byte != 0"
      has_truth:
        value: "has_truth_byte != 0"
  param_list:
    doc: "COMMAND 0x0201. Ask for the parameter at `index`, from 0; the answer says how many there are."
    seq:
      - id: index
        type: u2
  param_list_done:
    doc: "REPLY 0x0201. One parameter: its value now, its default, its inclusive range, its unit and who may set it."
    seq:
      - id: count
        type: u2
      - id: index
        type: u2
      - id: name
        size: 32
        type: strz
        encoding: "UTF-8"
      - id: unit
        size: 16
        type: strz
        encoding: "UTF-8"
      - id: scope
        type: u1
        enum: param_scope
      - id: value
        type: f8
        valid:
          expr: "_ - _ == 0"
      - id: default_value
        type: f8
        valid:
          expr: "_ - _ == 0"
      - id: minimum
        type: f8
        valid:
          expr: "_ - _ == 0"
      - id: maximum
        type: f8
        valid:
          expr: "_ - _ == 0"
  param_get:
    doc: "COMMAND 0x0202. Ask for one parameter's value by name."
    seq:
      - id: name
        size: 32
        type: strz
        encoding: "UTF-8"
  param_get_done:
    doc: "REPLY 0x0202. One parameter's value."
    seq:
      - id: name
        size: 32
        type: strz
        encoding: "UTF-8"
      - id: value
        type: f8
        valid:
          expr: "_ - _ == 0"
  param_set:
    doc: "COMMAND 0x0203. Set a host-settable parameter. Refused for a viewer, a start-only parameter and a value out of range."
    seq:
      - id: name
        size: 32
        type: strz
        encoding: "UTF-8"
      - id: value
        type: f8
        valid:
          expr: "_ - _ == 0"
  param_set_done:
    doc: "REPLY 0x0203. The value that now stands."
    seq:
      - id: name
        size: 32
        type: strz
        encoding: "UTF-8"
      - id: value
        type: f8
        valid:
          expr: "_ - _ == 0"
  session_open:
    doc: "COMMAND 0x0301. Open a session and take control. `zones_cm2` is each zone's area in cells of 1 cm2, zone 0 first."
    seq:
      - id: target_cores
        type: u4
        valid:
          min: 1
          max: 1000000
      - id: coverage_bp
        type: u2
        valid:
          min: 400
          max: 800
        doc: "Unit: 0.01 %."
      - id: depth_um
        type: u2
        valid:
          min: 500
          max: 4000
        doc: "Unit: um."
      - id: zones_cm2
        type: u2
        repeat: eos
        doc: "Unit: cm2."
  session_open_done:
    doc: "REPLY 0x0301. The session's number, and the plan as the device will hold the host to it."
    seq:
      - id: session_no
        type: u4
      - id: first_cycle_no
        type: u4
      - id: needles
        type: u1
      - id: cells
        type: u2
      - id: cycles_per_cell
        type: u1
      - id: punctures_per_cell
        type: u1
  anesthesia_start:
    doc: "COMMAND 0x0302. Note that a zone was numbed `age_s` seconds ago; the wait runs from then."
    seq:
      - id: zone
        type: u1
      - id: age_s
        type: u4
        valid:
          min: 0
          max: 86400
        doc: "Unit: s."
      - id: method
        size: 32
        type: strz
        encoding: "UTF-8"
  anesthesia_start_done:
    doc: "REPLY 0x0302. Time for which CONFIRM for this zone is still refused."
    seq:
      - id: wait_s
        type: u4
        doc: "Unit: s."
  anesthesia_confirm:
    doc: "COMMAND 0x0303. A person confirms that the zone is numb."
    seq:
      - id: zone
        type: u1
      - id: confirmed_by
        size: 32
        type: strz
        encoding: "UTF-8"
  anesthesia_confirm_done:
    doc: "REPLY 0x0303. Time for which the confirmation holds."
    seq:
      - id: valid_s
        type: u4
        doc: "Unit: s."
  arm:
    doc: "COMMAND 0x0304. Start the pump. DONE when the vacuum stands below the limit for a new cycle."
    seq: []
  arm_done:
    doc: "REPLY 0x0304. Armed."
    seq:
      - id: vacuum_pa
        type: s4
        doc: "Unit: Pa."
  disarm:
    doc: "COMMAND 0x0305. Stop the pump and vent."
    seq: []
  disarm_done:
    doc: "REPLY 0x0305. Disarmed; the vacuum is vented."
    seq:
      - id: state
        type: u1
        enum: device_state
  reposition:
    doc: |
      COMMAND 0x0306. Ask the hand to move to a cell of a zone. DONE on arrival; the time is the hand's own.

      `cell` is numbered within its zone, from 0.
    seq:
      - id: zone
        type: u1
      - id: cell
        type: u2
  reposition_done:
    doc: |
      REPLY 0x0306. Arrived. `cell_punctures` were made there before, `cycles_left` fit under the plan's limit.

      `cell` is numbered within its zone, as in the command.
    seq:
      - id: zone
        type: u1
      - id: cell
        type: u2
      - id: cell_punctures
        type: u1
      - id: cycles_left
        type: u1
  punch:
    doc: |
      COMMAND 0x0307. Begin cycle `cycle_no`: needles out to `depth_um`, dwell, back. Void after device uptime `deadline_ms`.

      The last cycle's number is answered with its stored outcome and nothing moves; a gap is E_CYCLE_GAP.
    seq:
      - id: cycle_no
        type: u4
      - id: depth_um
        type: u2
        doc: "Unit: um."
      - id: deadline_ms
        type: u4
        doc: "Unit: ms."
  punch_done:
    doc: "REPLY 0x0307. The needles are home again. `depth_um` is what the encoder measured, `punctured` one bit a needle."
    seq:
      - id: cycle_no
        type: u4
      - id: depth_um
        type: u2
        doc: "Unit: um."
      - id: punctured
        type: u1
      - id: vacuum_pa
        type: s4
        doc: "Unit: Pa."
  suction:
    doc: "COMMAND 0x0308. Evacuate the cores of the open cycle."
    seq:
      - id: cycle_no
        type: u4
  suction_done:
    doc: "REPLY 0x0308. Evacuated, as far as it could be."
    seq:
      - id: cycle_no
        type: u4
      - id: vacuum_pa
        type: s4
        doc: "Unit: Pa."
  advance:
    doc: "COMMAND 0x0309. Move the stage by `steps` pitches within the cell."
    seq:
      - id: cycle_no
        type: u4
      - id: steps
        type: u1
        valid:
          min: 1
          max: 8
  advance_done:
    doc: "REPLY 0x0309. Advanced."
    seq:
      - id: cycle_no
        type: u4
  count:
    doc: "COMMAND 0x030A. Read the count sensor and end the cycle."
    seq:
      - id: cycle_no
        type: u4
  count_done:
    doc: |
      REPLY 0x030A. The cycle's stored outcome. `outcomes` holds a `NeedleOutcome` in each four bits, needle 0 lowest.

      `flagged` has a bit for each needle held to be clogged. The totals are the session's so far.
    seq:
      - id: cycle_no
        type: u4
      - id: outcomes
        type: u4
      - id: cores_counted
        type: u1
      - id: flagged
        type: u1
      - id: cell_punctures
        type: u1
      - id: cycles_left
        type: u1
      - id: total_punctures
        type: u4
      - id: total_cores_counted
        type: u4
  purge:
    doc: "COMMAND 0x030B. Blow the flagged needles free. It does not always work: the answer says which are flagged still."
    seq: []
  purge_done:
    doc: "REPLY 0x030B. Purged; one bit a needle."
    seq:
      - id: cleared
        type: u1
      - id: flagged
        type: u1
  pause:
    doc: "COMMAND 0x030C. Hold between cycles, armed; an open cycle is refused."
    seq: []
  pause_done:
    doc: "REPLY 0x030C. Paused."
    seq: []
  resume:
    doc: "COMMAND 0x030D. Go on after PAUSE."
    seq: []
  resume_done:
    doc: "REPLY 0x030D. Armed again."
    seq: []
  stop:
    doc: "COMMAND 0x030E. Stop now: retract, vent, disarm, SAFE. From any link, in any state, harmless twice."
    seq: []
  stop_done:
    doc: "REPLY 0x030E. The stop has begun; its end is seen in the state."
    seq:
      - id: state
        type: u1
        enum: device_state
  fault_reset:
    doc: "COMMAND 0x030F. Leave SAFE or FAULT and clear latched alarms whose cause is gone. The only way out of either."
    seq: []
  fault_reset_done:
    doc: "REPLY 0x030F. The state after the reset, and how many alarms stay."
    seq:
      - id: state
        type: u1
        enum: device_state
      - id: alarms
        type: u1
  session_close:
    doc: "COMMAND 0x0310. Close the session with the host's own fold of the journal; refused, with both numbers, if it disagrees."
    seq:
      - id: session_no
        type: u4
      - id: reason
        type: u1
        enum: close_reason
      - id: cycles
        type: u4
      - id: completed
        type: u4
      - id: aborted
        type: u4
      - id: ambiguous
        type: u4
      - id: punctures
        type: u4
      - id: cores_counted
        type: u4
  session_close_done:
    doc: "REPLY 0x0310. Closed. The device's own totals, equal to the host's unless it closed as ABANDONED."
    seq:
      - id: session_no
        type: u4
      - id: cycles
        type: u4
      - id: completed
        type: u4
      - id: aborted
        type: u4
      - id: ambiguous
        type: u4
      - id: punctures
        type: u4
      - id: cores_counted
        type: u4
  stream_set:
    doc: "COMMAND 0x0401. Ask for a stream every `interval_ms` on this link; 0 ends it."
    seq:
      - id: stream
        type: u1
        enum: stream
      - id: interval_ms
        type: u2
        valid:
          min: 0
          max: 60000
        doc: "Unit: ms."
  stream_set_done:
    doc: "REPLY 0x0401. The interval that was granted; never below 20 ms."
    seq:
      - id: stream
        type: u1
        enum: stream
      - id: interval_ms
        type: u2
        doc: "Unit: ms."
  telemetry_state:
    doc: |
      TELEMETRY 0x0402. The device as its sensors have it.

      `cell` is numbered through all zones of the plan; 65535 where the hand is at none.
    seq:
      - id: uptime_ms
        type: u4
        doc: "Unit: ms."
      - id: state
        type: u1
        enum: device_state
      - id: depth_um
        type: u2
        doc: "Unit: um."
      - id: vacuum_pa
        type: s4
        doc: "Unit: Pa."
      - id: temperature_mk
        type: u4
        doc: "Unit: mK."
      - id: canister_ul
        type: u4
        doc: "Unit: uL."
      - id: cartridge_cycles
        type: u4
      - id: cell
        type: u2
      - id: flagged
        type: u1
  event:
    doc: "EVENT 0x0501. One journal record as it is written, where no reply tells the host of it; `record` is 32 bytes."
    seq:
      - id: record
        size: 32
        type: journal_record
  journal_read:
    doc: "COMMAND 0x0502. Ask for up to `max_records` records from `first` on."
    seq:
      - id: epoch
        type: u4
      - id: first
        type: u4
      - id: max_records
        type: u1
        valid:
          min: 1
          max: 255
  journal_page:
    doc: |
      REPLY 0x0502. Records in order from `first`; empty when there are none. `head` is the number the next record will have.

      A GAP record stands for records that the ring no longer has. `records` is a whole number of 32-byte records.
    seq:
      - id: epoch
        type: u4
      - id: first
        type: u4
      - id: tail
        type: u4
      - id: head
        type: u4
      - id: records
        size: 32
        type: journal_record
        repeat: eos
  journal_ack:
    doc: "COMMAND 0x0503. Records before `upto` are safe with the host: their slots may be used again. Only the controller's counts."
    seq:
      - id: epoch
        type: u4
      - id: upto
        type: u4
  journal_ack_done:
    doc: "REPLY 0x0503. The tail that now stands; it never moves back."
    seq:
      - id: tail
        type: u4
  alarm:
    doc: "ALARM 0x0601. One alarm changed its state. `code` 1203 is shown as MC-1203; `interlock` is the rule that raised it."
    seq:
      - id: code
        type: u2
      - id: interlock
        type: u1
      - id: priority
        type: u1
        enum: alarm_priority
      - id: state
        type: u1
        enum: alarm_state
      - id: uptime_ms
        type: u4
        doc: "Unit: ms."
      - id: sentence
        size: 120
        type: strz
        encoding: "UTF-8"
  alarm_list:
    doc: "COMMAND 0x0602. Ask for the alarm at `index` of the list of alarms that are not inactive, from 0."
    seq:
      - id: index
        type: u1
  alarm_list_done:
    doc: "REPLY 0x0602. One alarm; where `index` is not below `count` the other fields are zero."
    seq:
      - id: count
        type: u1
      - id: index
        type: u1
      - id: code
        type: u2
      - id: interlock
        type: u1
      - id: priority
        type: u1
        enum: alarm_priority
      - id: state
        type: u1
        enum: alarm_state
      - id: uptime_ms
        type: u4
        doc: "Unit: ms."
      - id: sentence
        size: 120
        type: strz
        encoding: "UTF-8"
  alarm_ack:
    doc: "COMMAND 0x0603. The controller has seen the alarm `code`."
    seq:
      - id: code
        type: u2
  alarm_ack_done:
    doc: "REPLY 0x0603. The alarm's state after it."
    seq:
      - id: code
        type: u2
      - id: state
        type: u1
        enum: alarm_state
  truth_get:
    doc: "COMMAND 0x0F01. Ask for the ground truth of the last closed session."
    seq: []
  truth_get_done:
    doc: "REPLY 0x0F01. The plant's own five counters of the session; kept apart from what was counted."
    seq:
      - id: session_no
        type: u4
      - id: cycles_commanded
        type: u4
      - id: cycles_completed
        type: u4
      - id: punctures
        type: u4
      - id: cores_evacuated
        type: u4
      - id: cores_counted
        type: u4
      - id: clogs
        type: u4
  fault_inject:
    doc: |
      COMMAND 0x0F02. Have a fault begin when a trigger holds: its kind, trigger and quantities are those of a scenario.

      An empty `when` is now; times and numbers in it count from now on. Bit n of `given` is set where `value_n` is for
      the kind's n-th quantity, from 0; one of words has the number of its word. Every other quantity is as usual.

      Since minor 1.
    seq:
      - id: fault
        size: 32
        type: strz
        encoding: "UTF-8"
      - id: when
        size: 120
        type: strz
        encoding: "UTF-8"
      - id: given
        type: u1
      - id: value_0
        type: f8
        valid:
          expr: "_ - _ == 0"
      - id: value_1
        type: f8
        valid:
          expr: "_ - _ == 0"
      - id: value_2
        type: f8
        valid:
          expr: "_ - _ == 0"
      - id: value_3
        type: f8
        valid:
          expr: "_ - _ == 0"
      - id: value_4
        type: f8
        valid:
          expr: "_ - _ == 0"
  fault_inject_done:
    doc: |
      REPLY 0x0F02. The fault waits for its trigger, under this number.

      Since minor 1.
    seq:
      - id: fault_id
        type: u2
  fault_clear:
    doc: |
      COMMAND 0x0F03. End a fault, whether it has begun or not; 0 ends all.

      Since minor 1.
    seq:
      - id: fault_id
        type: u2
  fault_clear_done:
    doc: |
      REPLY 0x0F03. Faults that waited or were under way, and how many of those have never changed anything.

      Since minor 1.
    seq:
      - id: cleared
        type: u2
      - id: unfired
        type: u2
  fault_get:
    doc: |
      COMMAND 0x0F04. Ask what has become of a fault.

      Since minor 1.
    seq:
      - id: fault_id
        type: u2
  fault_get_done:
    doc: |
      REPLY 0x0F04. A fault, and how often it has changed something; one that never has has not fired.

      Since minor 1.
    seq:
      - id: fault_id
        type: u2
      - id: effects
        type: u4
      - id: began_byte
        type: u1
      - id: ended_byte
        type: u1
      - id: fault
        size: 32
        type: strz
        encoding: "UTF-8"
    instances:
      began:
        value: "began_byte != 0"
      ended:
        value: "ended_byte != 0"
  power_cut:
    doc: |
      COMMAND 0x0F05. Take the device's power away for a time, once this is answered.

      Since minor 1.
    seq:
      - id: for_ms
        type: u4
        valid:
          min: 1
          max: 86400000
        doc: "Unit: ms."
  power_cut_done:
    doc: |
      REPLY 0x0F05. The power goes.

      Since minor 1.
    seq:
      - id: for_ms
        type: u4
        doc: "Unit: ms."
  journal_record:
    doc: "A record of the journal, 32 bytes."
    seq:
      - id: event_no
        type: u4
      - id: uptime_ms
        type: u4
        doc: "Unit: ms."
      - id: kind
        type: u1
        enum: record_kind
      - id: body
        size-eos: true
        type:
          switch-on: kind
          cases:
            record_kind::gap: record_gap
            record_kind::cycle: record_cycle
            record_kind::session_opened: record_session_opened
            record_kind::session_closed: record_session_closed
            record_kind::alarm: record_alarm_changed
            record_kind::refusal: record_refusal
            record_kind::parameter: record_parameter_set
            record_kind::boot: record_boot
            record_kind::anesthesia: record_anesthesia
            record_kind::action: record_action
  record_gap:
    doc: "Stands for `missing` records from `event_no` on that the ring no longer holds."
    seq:
      - id: missing
        type: u4
  record_cycle:
    doc: |
      Ending of one cycle: `phase` is the one it was in, `outcomes` a `NeedleOutcome` in each four bits.

      `cell` is numbered through all zones of the plan. The totals are the session's after this cycle.
    seq:
      - id: ending
        type: u1
        enum: ending
      - id: phase
        type: u1
        enum: phase
      - id: needles
        type: u1
      - id: cycle_no
        type: u4
      - id: outcomes
        type: u4
      - id: cell
        type: u2
      - id: depth_um
        type: u2
        doc: "Unit: um."
      - id: total_punctures
        type: u4
      - id: total_cores_counted
        type: u4
  record_session_opened:
    doc: "A session was opened; its first cycle will be `first_cycle_no`."
    seq:
      - id: session_no
        type: u4
      - id: target_cores
        type: u4
      - id: first_cycle_no
        type: u4
      - id: coverage_bp
        type: u2
        doc: "Unit: 0.01 %."
      - id: depth_um
        type: u2
        doc: "Unit: um."
      - id: cells
        type: u2
      - id: zones
        type: u1
  record_session_closed:
    doc: "A session was closed. The counts are the device's; both ends agree on them, unless `reason` is ABANDONED."
    seq:
      - id: reason
        type: u1
        enum: close_reason
      - id: session_no
        type: u4
      - id: cycles
        type: u4
      - id: punctures
        type: u4
      - id: cores_counted
        type: u4
  record_alarm_changed:
    doc: "An alarm changed its state."
    seq:
      - id: code
        type: u2
      - id: interlock
        type: u1
      - id: priority
        type: u1
        enum: alarm_priority
      - id: state
        type: u1
        enum: alarm_state
  record_refusal:
    doc: "A command that would have changed something was refused."
    seq:
      - id: code
        type: u1
        enum: code
      - id: interlock
        type: u1
      - id: message_id
        type: u2
      - id: cycle_no
        type: u4
  record_parameter_set:
    doc: "A parameter was set, named by its index in the parameter table."
    seq:
      - id: index
        type: u2
      - id: value
        type: f8
        valid:
          expr: "_ - _ == 0"
  record_boot:
    doc: "The device started. `open_cycle_no` is the cycle that the power loss ended, 0 if none was open."
    seq:
      - id: boot_count
        type: u4
      - id: open_cycle_no
        type: u4
      - id: phase
        type: u1
        enum: phase
  record_anesthesia:
    doc: "A zone's anesthesia was noted (`confirmed` 0) or confirmed (1)."
    seq:
      - id: zone
        type: u1
      - id: confirmed
        type: u1
      - id: age_s
        type: u4
        doc: "Unit: s."
  record_action:
    doc: |
      A host's command that is no cycle, such as ARM, PURGE or STOP: its message id, and where the hand was.

      `cell` is numbered through all zones of the plan; 65535 where the hand was at none. REPOSITION leaves no record.
    seq:
      - id: message_id
        type: u2
      - id: zone
        type: u1
      - id: cell
        type: u2
enums:
  kind:
    0: command
    1: reply
    2: progress
    3: event
    4: telemetry
    5: alarm
    6: bulk
    7: link
  needle_outcome:
    0: not_punctured
    1: counted
    2: empty
    3: uncounted
    4: ambiguous
  code:
    0: ok
    1: e_unknown_message
    2: e_schema
    3: e_version
    4: e_link
    5: e_state
    6: e_interlock
    7: e_busy
    8: e_argument
    9: e_range
    10: e_expired
    11: e_cycle_gap
    12: e_storage
    13: e_auth
    14: e_unsupported
    15: e_internal
    255: unknown
  role:
    0: viewer
    1: controller
    255: unknown
  device_state:
    0: "off"
    1: self_test
    2: idle
    3: session_open
    4: anesthesia_wait
    5: anesthesia_confirmed
    6: armed
    7: punching
    8: suctioning
    9: advancing
    10: counting
    11: repositioning
    12: purging
    13: paused
    14: closing
    15: safe
    16: fault
    17: locked
    18: arming
    19: disarming
    255: unknown
  phase:
    0: none
    1: punch
    2: suction
    3: advance
    4: count
    255: unknown
  ending:
    0: open
    1: completed
    2: aborted
    3: ambiguous
    255: unknown
  close_reason:
    1: completed
    2: aborted
    3: abandoned
    255: unknown
  alarm_priority:
    0: none
    1: info
    2: low
    3: medium
    4: high
    255: unknown
  alarm_state:
    0: inactive
    1: active
    2: acknowledged
    3: latched
    255: unknown
  bye_reason:
    0: closing
    1: replaced
    2: lease_expired
    3: reboot
    255: unknown
  param_scope:
    0: start_only
    1: host_settable
    255: unknown
  record_kind:
    0: gap
    1: cycle
    2: session_opened
    3: session_closed
    4: alarm
    5: refusal
    6: parameter
    7: boot
    8: anesthesia
    9: action
    255: unknown
  stream:
    1: state
    255: unknown
  alarm_code:
    101: needle_not_retracted
    201: anesthesia_missing
    301: anesthesia_expired
    401: suction_lost
    501: line_blocked
    601: needle_clogged
    602: needles_clogged
    701: count_mismatch
    702: count_stopped
    801: density_near
    802: density_reached
    803: density_locked
    1001: too_deep
    1101: cartridge_refused
    1201: cartridge_worn
    1202: cartridge_worn_out
    1301: trigger_unsteady
    1302: trigger_stuck
    1401: power_lost_in_stroke
    1501: link_lost
    1502: retained_command
    1601: motor_stalled
    1701: hot
    1702: too_hot
    1801: canister_nearly_full
    1802: canister_full
    1901: fluid_inside
    2001: emergency_stop
    2301: self_test_failed
