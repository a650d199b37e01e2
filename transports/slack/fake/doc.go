// Package fake is a fake Slack server: an HTTP and WebSocket server with workspaces,
// users, channels, messages, files, apps and tokens, which an unmodified Slack client
// reaches by its base URL. Tests of the Slack transport and `dragoman demo` run on it.
//
// Three sides:
//
//   - the Web API, file upload and download, and Socket Mode, as an app sees them
//     (api.go dispatches, one file for each family of methods, socket.go the socket);
//   - the users (user_actions.go, user_messages.go): a User sends, edits, deletes, reacts, joins, and a Channel
//     returns its messages;
//   - faults that a test injects (faults.go, faulty_listener.go): lost replies, 429, outages,
//     redelivered envelopes, unknown events.
//
// JSON is built from maps, never from a client library's types, so that a mistake of the
// library is not repeated here. Options.Check sees every request, answer, event and frame;
// package conformance checks them against Slack's published descriptions.
//
// Server.mu guards all state; nothing blocks while it is held: frames are appended to the
// sockets' queues, events of a call are handed over after the lock is free. A socket has a
// reader (the HTTP handler's goroutine) and a writer; hooks run one after another in one
// goroutine. Close ends them all and waits.
//
// What Slack does is taken from docs.slack.dev, the descriptions in
// integration/testdata/slack and reports of its users; it is named where it is surprising.
package fake
