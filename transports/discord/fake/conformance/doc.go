// Package conformance holds a fake Discord server to what Discord itself says about its
// interface: every request, answer and event of a test is compared with the descriptions
// in integration/testdata/discord, where unknown keys, routes, events, codes and opcodes
// are errors as well. It is for tests only.
//
// Differences that are tolerated stand in tolerated.go, each with its source.
package conformance
