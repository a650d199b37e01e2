package transports

import (
	"context"
	"log/slog"
	"time"
)

// Network is one kind of network, such as Slack: the one required contract together
// with LoginProcess and Client. Everything else is optional and declared in Info.Caps.
type Network interface {
	// Info returns the name and what this network can do. It does not change at run time.
	Info() Info
	// LoginFlows lists the dialogues by which a login is linked; the first is the default.
	LoginFlows() []LoginFlow
	// StartLogin begins one of them.
	StartLogin(ctx context.Context, request LoginRequest) (LoginProcess, error)
	// Open connects a login and returns once the network has accepted it. The client lives until
	// Close or ctx ends; it reconnects by itself and reports its state by sink.State. An error of
	// class NeedLogin, Refused or Bug is final; after Retry and Unknown the bridge opens it again later.
	Open(ctx context.Context, login Login, sink Sink) (Client, error)
}

// Info describes a network to the bridge and to people.
type Info struct {
	Kind  string // "slack": the configuration's section, the key in the store
	Name  string // "Slack": for people
	Short string // localpart of the default domain, "slack" in slack.example.org
	Type  string // service discovery's type in category gateway, such as "slack", "discord", "irc"
	Caps  Caps
	// Origin is where the network is, as http://127.0.0.1:8080, where that is another address than usual, such as that of a fake
	// server. Pictures are read from there too; others only by https, and not from private addresses.
	Origin string
}

// Registration is how a network's folder offers its network to a main: transports/all lists those that
// are compiled in, and a main of another module passes a list of its own to transports/gateways.
type Registration struct {
	Kind string // name of the configuration's section, Info.Kind
	Doc  string // the section's meaning, one line
	// Section makes the section's settings with their defaults: a pointer to a struct with toml and
	// doc tags that embeds config.Gateway. Where it has a method Validate(*config.Problems), that is called.
	Section func() any
	// New makes the network from what Section returned, with the values of the configuration in it.
	New func(section any, env Environment) (Network, error)
}

// Register makes a Registration of functions with the section's own type.
func Register[S any](kind, doc string, section func() *S, open func(*S, Environment) (Network, error)) Registration {
	return Registration{
		Kind: kind, Doc: doc,
		Section: func() any { return section() },
		New:     func(s any, env Environment) (Network, error) { return open(s.(*S), env) },
	}
}

// Environment is what the process gives a network.
type Environment struct {
	Log      *slog.Logger
	RetryMin time.Duration // first wait before a connection is tried again
	RetryMax time.Duration // longest wait
	Storage  Storage
}

// Storage keeps what does not fit Login.Secret and Login.State, such as the client of an end-to-end
// encrypted network. It belongs to one gateway and is part of the data directory, so that one backup holds
// it and the bridge's tables.
//
// Credentials and keys are sealed before they are written, except in a database whose schema is
// not the network's own: the directory can be read by the server's user only.
type Storage interface {
	// Dir makes the directory on first use and returns its path.
	Dir() (string, error)
	// Seal encrypts; label names what is sealed, and Unseal wants the same one.
	Seal(label string, secret []byte) []byte
	// Unseal returns what was sealed, or an error where it was changed or sealed under another label or key.
	Unseal(label string, sealed []byte) ([]byte, error)
}
