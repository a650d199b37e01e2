package echo

import (
	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/transports"
)

//go:generate go run ../../cmd/dragoman config doc echo --force --output CONFIG.md

// Section is section [echo] of the configuration.
type Section struct {
	config.Network
	Guests int `toml:"guests" doc:"How many further people can log in there: guest1, guest2 and so on."`
}

// Validate implements config.Validator.
func (s *Section) Validate(problem func(key, format string, args ...any)) {
	if s.Guests < 0 || s.Guests > 10000 {
		problem("guests", "%d is not between 0 and 10000", s.Guests)
	}
}

// Register offers the network to a main.
func Register() transports.Registration {
	const doc = "A gateway to a network of one room and a parrot, for trying things out. Link it as guest, with any password."
	return transports.Register("echo", doc, func() *Section { return &Section{} },
		func(s *Section, _ transports.Environment) (transports.Network, error) { return New(s.Guests), nil })
}
