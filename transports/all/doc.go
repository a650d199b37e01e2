// Package all is the one list of the networks that are compiled in: a further network is a
// line here and a folder beside this one.
package all
