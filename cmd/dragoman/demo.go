//go:build !nodemo

package main

import (
	"github.com/spf13/cobra"

	"github.com/dragoman-im/dragoman/cmd/dragoman/demo"
)

// demoCommands is the demo, which brings the fake servers of the networks with it.
func demoCommands() []*cobra.Command { return []*cobra.Command{demo.Command()} }
