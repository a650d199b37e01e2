// Command dragoman is the XMPP server and its gateways: the commands of cmd/cli with the networks of
// transports/all, and the demo.
package main
