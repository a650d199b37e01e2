// Package integration holds the tests of the whole: scenarios (scenarios/*.scenario, run by package
// scenario) against the dragoman binary and against Prosody, end-to-end tests with foreign
// clients and servers (started by package peers), tests that kill the server at random
// moments, and the test that keeps the directions of imports.
//
// Nothing here imports the server's own packages: the binary is driven from outside, as its
// users drive it. The fake servers of the networks (transports/*/fake) run in the test process.
//
// Environment: DRAGOMAN_REQUIRE_PEERS makes a missing peer a failure instead of a skip;
// DRAGOMAN_KILL_ROUNDS is the number of kills in each kill test; DRAGOMAN_TEST_LOGS is a
// directory that receives the logs of all peers; DRAGOMAN_HOSTILE_SEED repeats the hostile
// streams of a run that printed it; DRAGOMAN_TEST_RACE builds the binary with the race detector.
package integration
