// Command dragoman is the XMPP server and its gateways: serve, component, demo, account,
// config and version. Each command is one file here, or a package below. serve and component
// run transports/gateways, which joins core/server with the networks.
package main
