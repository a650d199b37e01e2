package slack

import (
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/transports"
)

//go:generate go run ../../cmd/dragoman config doc slack --force --output CONFIG.md

// Section is section [slack] of the configuration.
type Section struct {
	config.Network
	APIURL   string          `toml:"api_url" doc:"Base of the Web API. Another one is for tests; http only on this machine."`
	Timeout  config.Duration `toml:"timeout" doc:"Longest wait for one answer."`
	Presence config.Duration `toml:"presence" doc:"How often the presence of contacts is asked for (Slack does not send it by itself). 0: never."`
}

// Validate implements config.Validator.
func (s *Section) Validate(problem func(key, format string, args ...any)) {
	if err := config.CheckBaseURL(s.APIURL); err != nil {
		problem("api_url", "%v", err)
	}
	if s.Timeout <= 0 {
		problem("timeout", "must be more than 0")
	}
}

// Register offers the network to a main.
func Register() transports.Registration {
	return transports.Register("slack", "The Slack gateway.", func() *Section {
		return &Section{APIURL: slackgo.APIURL, Timeout: config.Duration(30 * time.Second), Presence: config.Duration(2 * time.Minute)}
	}, func(s *Section, env transports.Environment) (transports.Network, error) {
		return New(Options{
			APIURL: s.APIURL, Timeout: time.Duration(s.Timeout), Presence: time.Duration(s.Presence),
			RetryMin: env.RetryMin, RetryMax: env.RetryMax, Log: env.Log,
		}), nil
	})
}
