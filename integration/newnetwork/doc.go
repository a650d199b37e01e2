// Package newnetwork tests the page that leads through a further network, transports/echo/README.md, by following
// it.
package newnetwork
