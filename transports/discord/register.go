package discord

import (
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/transports"
)

//go:generate go run ../../cmd/dragoman config doc discord --force --output CONFIG.md

// Section is section [discord] of the configuration.
type Section struct {
	config.Network
	APIURL  string          `toml:"api_url" doc:"Base of the REST API. Another one is for tests; http only on this machine."`
	Timeout config.Duration `toml:"timeout" doc:"Longest wait for one answer."`
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
	return transports.Register("discord", "The Discord gateway.", func() *Section {
		return &Section{APIURL: defaultAPI, Timeout: config.Duration(30 * time.Second)}
	}, func(s *Section, env transports.Environment) (transports.Network, error) {
		n, err := New(Options{APIURL: s.APIURL, Timeout: time.Duration(s.Timeout), RetryMin: env.RetryMin, RetryMax: env.RetryMax, Log: env.Log})
		if err != nil {
			return nil, fmt.Errorf("discord.api_url: %w", err)
		}
		return n, nil
	})
}
