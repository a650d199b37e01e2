// Package discord is the transport to Discord with a bot's token. Discord's numbers (types, intents, permissions, flags) and
// what restricts a message that is sent are discordgo's. What is read is decoded into objects of our own (packages objects
// and state), because one field of another type makes discordgo refuse the whole object. The calls (package rest) and
// the gateway client (gateway.go) are our own too: discordgo's keeps its resume state private, ends sessions that could be
// resumed, ignores close codes and reorders events.
//
// The gateway's session and sequence number are handed to the bridge (Sink.Save) behind the
// events that they cover, so that a restart resumes where it stopped. In channels a message goes
// out through a webhook under the sender's own name (webhook.go), elsewhere as the bot with a nonce.
//
// Ids are Discord's snowflakes as they are.
//
// Goroutines: one per login runs the gateway, and one sends its heartbeats. Locks: client,
// state, hooks, progress and package rest have one each; no two are held together, and none over I/O.
package discord
