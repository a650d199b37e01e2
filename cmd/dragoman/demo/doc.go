// Package demo is the command "dragoman demo": a server with its gateways, a fake Slack and a fake Discord
// server with simulated users, and a client that takes a tour through what the gateways do.
//
// command.go runs everything in order. slack.go and discord.go make the fake networks; responder.go makes
// their users answer and write to each other. tour.go and steps_*.go are the built-in client. trace.go
// prints each step of a message, with the numbers of package transports: those that the bridge reports, and
// those that the fake servers see (slack_trace.go, discord_trace.go).
//
// serve owns all goroutines and returns when they have ended. The build tag nodemo leaves this package and
// the fake servers out of the program.
package demo
