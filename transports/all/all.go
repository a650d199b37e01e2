package all

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord"
	"github.com/dragoman-im/dragoman/transports/echo"
	"github.com/dragoman-im/dragoman/transports/slack"
)

// Entry is one gateway that is to run.
type Entry struct {
	Network transports.Network
	Domain  string
	Secret  string // shared with a foreign server
}

// Enabled makes the networks that the configuration switches on, and checks that each can
// do what it declares.
func Enabled(c config.Config, log *slog.Logger) ([]Entry, error) {
	var all []Entry
	retryMin, retryMax := time.Duration(c.Gateway.RetryMin), time.Duration(c.Gateway.RetryMax)
	if c.Slack.Enabled {
		all = append(all, Entry{slack.New(slack.Options{
			APIURL: c.Slack.APIURL, Timeout: time.Duration(c.Slack.Timeout), Presence: time.Duration(c.Slack.Presence),
			RetryMin: retryMin, RetryMax: retryMax, Log: log.With("network", "slack"),
		}), c.Slack.Domain, c.Slack.Secret})
	}
	if c.Discord.Enabled {
		n, err := discord.New(discord.Options{
			APIURL: c.Discord.APIURL, Timeout: time.Duration(c.Discord.Timeout), RetryMin: retryMin, RetryMax: retryMax, Log: log.With("network", "discord"),
		})
		if err != nil {
			return nil, fmt.Errorf("discord.api_url: %w", err)
		}
		all = append(all, Entry{n, c.Discord.Domain, c.Discord.Secret})
	}
	if c.Echo.Enabled {
		world := echo.NewWorld()
		world.AddUser(transports.UserInfo{ID: "guest", Name: "Guest"})
		for i := range c.Echo.Guests {
			world.AddUser(transports.UserInfo{ID: transports.UserID(fmt.Sprintf("guest%d", i+1)), Name: fmt.Sprintf("Guest %d", i+1)})
		}
		all = append(all, Entry{echo.New(world), c.Echo.Domain, c.Echo.Secret})
	}
	for _, e := range all {
		if err := transports.CheckNetwork(e.Network); err != nil {
			return nil, err
		}
	}
	return all, nil
}
