// Package integration holds the tests of the whole: scenarios (scenarios/*.scenario, run by package
// scenario) against the dragoman binary and against Prosody, and end-to-end tests with foreign clients and
// servers, which package peers starts: kills at random moments, outages, faults of the disk, load, hostile
// input. README.md has the commands and the environment variables.
//
// Nothing here imports the server's own packages: the binary is driven over sockets and by its commands, as its
// users drive it. The fake servers of the networks (transports/*/fake) run in the test process.
package integration
