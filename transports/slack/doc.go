// Package slack is the transport to Slack: Socket Mode and the Web API through slack-go, with
// a self-made app's tokens, and the person's own (user) token where they have one.
//
// An app (app.go) is one Socket Mode connection, shared by all logins of the same app-level
// token, since Slack hands each event to any one of an app's sockets. It gives each event to
// every login that sees its channel, and acknowledges it to Slack once it is durable for all of them.
// Events are decoded from the raw payload (decode.go), as slack-go refuses some that Slack sends.
// A client (client.go) calls the Web API: as the person with a user token, else as the bot.
//
// Ids: a user is "t024be7ld-u023becgf", a room "t024be7ld-c0g9qf9gw", both team and id in lower
// case; a message is its ts. A message that was posted carries the bridge's id in its metadata,
// by which a repeated Send finds it. One with files has no metadata: it is found by their ids, which the bridge keeps (upload.go).
//
// Goroutines: one per app reads the socket's events and one writes acknowledgements, some are
// slack-go's, one per login polls presence. Lock order: Network.mu before app.mu; app.reporting before app.mu;
// cache.mu alone. None is held across I/O, except app.reporting across what sinks write.
package slack
