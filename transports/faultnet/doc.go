// Package faultnet is a network in memory for the tests of the bridge: it has every kind of event, remembers
// every message, and fails as a test asks it to. It is in no binary.
//
// network.go is the transport, login.go how people log in, world.go and directory.go the network itself,
// events.go what people do on it, faults.go how it fails. A client's goroutine ends with Close.
// World.mu guards everything; it is not held while an event is delivered.
package faultnet
