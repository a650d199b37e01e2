// Command dragoman is the XMPP server and its gateways: serve, component, demo, account,
// config and version. Each command is one file here; what they do is in core/server.
package main
