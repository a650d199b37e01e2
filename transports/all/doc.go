// Package all is the one list of the transports that are compiled in: a further network is a
// line here and a section of the configuration.
package all
