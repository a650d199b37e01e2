package all

import (
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord"
	"github.com/dragoman-im/dragoman/transports/echo"
	"github.com/dragoman-im/dragoman/transports/slack"
)

// Networks lists the networks that are compiled in.
func Networks() []transports.Registration {
	return []transports.Registration{
		slack.Register(),
		discord.Register(),
		echo.Register(),
	}
}
