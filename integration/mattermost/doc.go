// Package mattermost is a fake server of Mattermost, as far as matteridge, a gateway of the slidge project, uses its API (version 4): one
// team with a private channel, and two people with a direct channel. The first, Ann, has a token; what the second, Ben, does is done by tests.
//
// Each connection of a WebSocket has a goroutine of net/http, which ends with Close. The lock of Server is a leaf but for the writes to
// WebSockets, whose order it keeps.
//
// Sources of the shapes: https://developers.mattermost.com/api-documentation/ and what the client library reads.
package mattermost
