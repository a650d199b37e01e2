package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// section is section [hello] of the configuration.
type section struct {
	config.Network
	Greeting string `toml:"greeting" doc:"What the mirror answers with."`
}

func register() transports.Registration {
	return transports.Register("hello", "A network of one mirror.",
		func() *section { return &section{Greeting: "Hello"} },
		func(s *section, env transports.Environment) (transports.Network, error) {
			return &hello{greeting: s.Greeting, storage: env.Storage}, nil
		})
}

// hello is a network on which a mirror answers everybody.
type hello struct {
	greeting string
	storage  transports.Storage
	sent     atomic.Int64
}

func (h *hello) Info() transports.Info {
	return transports.Info{
		Kind: "hello", Name: "Hello", Short: "hello", Type: "hello",
		Caps: transports.Caps{RoomCaps: transports.RoomCaps{Direct: true}, PeopleCaps: transports.PeopleCaps{Profiles: true}},
	}
}

func (h *hello) LoginFlows() []transports.LoginFlow {
	return []transports.LoginFlow{{ID: "name", Name: "Your name"}}
}

func (h *hello) StartLogin(_ context.Context, r transports.LoginRequest) (transports.LoginProcess, error) {
	return process{h, r.Owner}, nil
}

type process struct {
	h     *hello
	owner transports.OwnerID
}

func (p process) Next(_ context.Context, answers map[string]string) (transports.Step, error) {
	if answers == nil {
		return transports.Step{Form: []transports.Field{{Key: "name", Label: "Name", Pattern: "[a-z]+"}}}, nil
	}
	return transports.Step{Done: &transports.Login{User: transports.UserID(answers["name"]), Name: answers["name"], Secret: []byte("key of " + p.owner)}}, nil
}

func (p process) Cancel() {}

func (h *hello) Open(_ context.Context, login transports.Login, sink transports.Sink) (transports.Client, error) {
	dir, err := h.storage.Dir()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, string(login.User)), h.storage.Seal("key", login.Secret), 0o600); err != nil {
		return nil, err
	}
	return &client{h, login, sink}, nil
}

type client struct {
	h     *hello
	login transports.Login
	sink  transports.Sink
}

// Send has the mirror answer with what was sealed when the login was opened.
func (c *client) Send(ctx context.Context, m transports.Outgoing) (transports.Sent, error) {
	dir, err := c.h.storage.Dir()
	if err != nil {
		return transports.Sent{}, err
	}
	sealed, err := os.ReadFile(filepath.Join(dir, string(c.login.User)))
	if err != nil {
		return transports.Sent{}, err
	}
	key, err := c.h.storage.Unseal("key", sealed)
	if err != nil || string(key) != "key of "+string(c.login.Owner) {
		return transports.Sent{}, fmt.Errorf("the key is %q: %w", key, err)
	}
	n := c.h.sent.Add(2)
	answer := transports.MessageID(fmt.Sprint(n + 1))
	go c.sink.Deliver(context.WithoutCancel(ctx), transports.Event{
		Key: string(answer), Room: m.Room, Kind: transports.Direct, Peer: "Mirror", Actor: "Mirror", At: time.Now(),
		Body: transports.Message{ID: answer, Text: richtext.FromPlain(c.h.greeting + ", " + string(c.login.User) + ": " + m.Text.String())},
	})
	return transports.Sent{ID: transports.MessageID(fmt.Sprint(n)), At: time.Now()}, nil
}

func (c *client) Room(_ context.Context, id transports.RoomID) (transports.RoomInfo, error) {
	return transports.RoomInfo{ID: id, Kind: transports.Direct, Peer: "Mirror", Joined: true, Writable: true}, nil
}

func (c *client) Direct(_ context.Context, user transports.UserID) (transports.RoomID, error) {
	return transports.RoomID("with-" + string(user)), nil
}

func (c *client) Profile(_ context.Context, user transports.UserID) (transports.UserInfo, error) {
	return transports.UserInfo{ID: user, Name: string(user)}, nil
}

func (c *client) Close(context.Context) error { return nil }
