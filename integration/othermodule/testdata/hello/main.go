// Command gateway runs the gateways of this module: `gateway component -c gateway.toml`.
package main

import (
	"github.com/dragoman-im/dragoman/cmd/cli"
	"github.com/dragoman-im/dragoman/transports"
)

func main() { cli.Main([]transports.Registration{register()}) }
