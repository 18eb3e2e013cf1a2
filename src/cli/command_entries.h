// Where each command begins; one file a command has what follows. All answer the exit code.

#pragma once

namespace poolwarden::cli {

struct Words;

int run_entry(const Words& words);
int demo_entry(const Words& words);
int check_entry(const Words& words);
int schema_entry(const Words& words);
int status_entry(const Words& words);
int start_entry(const Words& words);
int stop_entry(const Words& words);
int recycle_entry(const Words& words);
int scale_entry(const Words& words);
int plan_entry(const Words& words);
int reload_entry(const Words& words);
int events_entry(const Words& words);
int why_entry(const Words& words);
int doctor_entry(const Words& words);
int explain_entry(const Words& words);
int healthcheck_entry(const Words& words);
int metrics_entry(const Words& words);
int version_entry(const Words& words);
int drill_entry(const Words& words);
int debug_entry(const Words& words);
int gateway_entry(const Words& words);           // the gateway process, started by the supervisor
int drill_hand_entry(const Words& words);        // see drill_hand.cpp
int debug_hand_entry(const Words& words);        // see debug_hand.cpp
int post_mortem_hand_entry(const Words& words);  // see post_mortem_hand.cpp
int keeper_entry(const Words& words);            // see keeper_command.cpp
int sample_worker_entry(const Words& words);     // the built-in sample worker

}  // namespace poolwarden::cli
