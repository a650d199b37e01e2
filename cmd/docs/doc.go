// Command docs writes the documents that are made of what the code declares: config/dragoman.doap
// and core/README.md, both of the specifications that are implemented.
//
//	go run ./cmd/docs
package main

//go:generate go run . -root ../..
