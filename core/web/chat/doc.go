// Package chat serves a web client, Converse.js, at the root of the HTTP listener. It logs in over the WebSocket of the same listener.
//
// The files of Converse.js are in converse.zip, as its npm package has them, without maps of sources. They are sent as they are
// compressed there. Its licence, MPL 2.0, is beside it; its sources are those of the npm package of the version that package.json names.
// After a change of that version, "go generate ./core/web/chat" gets the files anew; "go run ./pack -check" in
// this folder compares them with the installed package.
//
// The page has no script of its own within: start.js reads what the page says about the server from attributes. The Content-Security-Policy
// allows scripts of this server only.
package chat

//go:generate npm ci --ignore-scripts --no-audit --no-fund
//go:generate go run ./pack
