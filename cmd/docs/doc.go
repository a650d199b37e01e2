// Command docs generates config/dragoman.doap and core/README.md from the specifications that the code
// declares (spec.Spec), config/LIMITS.md from the settings and the limits that are counted, and core/VULNERABILITIES.md and the
// table of the compliance suites (XEP-0479) from lists of its own, whose tests and scenarios must exist.
//
//	go run ./cmd/docs
package main

//go:generate go run . -root ../..
