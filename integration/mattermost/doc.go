// Package mattermost is a fake server of Mattermost, as far as matteridge, a gateway of the slidge project, uses its API (version 4): one
// team with a public and a private channel, and two people, of whom the first has a token and the second is moved by tests.
//
// Each connection of a WebSocket has a goroutine of net/http, which ends with Close. The lock of Server is a leaf but for the writes to
// WebSockets, whose order it keeps.
//
// Sources of the shapes: https://developers.mattermost.com/api-documentation/ and what the client library reads.
package mattermost
