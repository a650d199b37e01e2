//go:build !nodemo

package main

import (
	"github.com/spf13/cobra"

	"github.com/dragoman-im/dragoman/cmd/dragoman/demo"
)

// demoCommands returns the demo command, which links the fake servers of the networks into the program.
func demoCommands() []*cobra.Command { return []*cobra.Command{demo.Command()} }
