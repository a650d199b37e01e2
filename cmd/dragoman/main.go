package main

import (
	"github.com/dragoman-im/dragoman/cmd/cli"
	"github.com/dragoman-im/dragoman/transports/all"
)

func main() { cli.Main(all.Networks(), demoCommands()...) }
