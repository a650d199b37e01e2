// Command docs generates config/dragoman.doap and core/README.md from the specifications that the code
// declares (spec.Spec).
//
//	go run ./cmd/docs
package main

//go:generate go run . -root ../..
