package discord

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
)

// LoginFlows lists the one flow: a bot's token.
func (n *Network) LoginFlows() []transports.LoginFlow {
	return []transports.LoginFlow{{
		ID: "bot", Name: "Paste a bot's token",
		Help: "Make an application with a bot at discord.com/developers/applications, switch its three privileged intents on, invite it to your server, and copy its token.",
	}}
}

// StartLogin begins to link or relink a login.
func (n *Network) StartLogin(_ context.Context, request transports.LoginRequest) (transports.LoginProcess, error) {
	if request.Flow != "bot" {
		return nil, transports.Refuse("item-not-found", "there is no such way to link an account", nil)
	}
	return &login{n: n, previous: request.Previous}, nil
}

type login struct {
	n        *Network
	previous *transports.Login
}

// Cancel has nothing to free.
func (l *login) Cancel() {}

// Next asks for the token, then tries it.
func (l *login) Next(ctx context.Context, answers map[string]string) (transports.Step, error) {
	if answers == nil {
		return transports.Step{
			Text: "The token of your Discord bot. People of the servers that it is in become your contacts; what you write in channels appears under your own name.",
			Form: []transports.Field{
				{Key: "token", Label: "Bot token", Help: "Your application → Bot → Reset Token", Secret: true},
			},
		}, nil
	}
	token := strings.TrimPrefix(strings.TrimSpace(answers["token"]), "Bot ")
	if token == "" || strings.ContainsAny(token, " \r\n\t") {
		return transports.Step{}, transports.Refuse("not-acceptable", "that is no bot token", nil)
	}
	login, err := l.try(ctx, token)
	if err != nil {
		return transports.Step{}, err
	}
	return transports.Step{Text: "Linked: " + login.Name, Done: login}, nil
}

// Flags of an application for the privileged intents that are on (docs: Application Flags).
const (
	flagPresence        = 1<<12 | 1<<13
	flagMembers         = 1<<14 | 1<<15
	flagMessageContents = 1<<18 | 1<<19
)

func (l *login) try(ctx context.Context, token string) (*transports.Login, error) {
	api := l.n.api(token)
	var bot objects.User
	if err := api.Call(ctx, rest.Get("/users/@me"), &bot); err != nil {
		if transports.ClassOf(rest.Classify(err)) == transports.NeedLogin {
			return nil, transports.Refuse("not-acceptable", "Discord does not accept this token: take the bot's at discord.com/developers/applications → your application → Bot → Reset Token", err)
		}
		return nil, rest.Classify(err)
	}
	if l.previous != nil && l.previous.User != transports.UserID(bot.ID) {
		return nil, transports.Refuse("not-acceptable", "this is the token of another bot ("+bot.Username+"): link that one anew instead", nil)
	}
	app, err := readApplication(ctx, api)
	if err != nil {
		return nil, err
	}
	if missing := missingIntents(app.Flags); missing != "" {
		return nil, transports.Refuse("not-acceptable", intentHelp(missing), nil)
	}
	secret, err := json.Marshal(credentials{Token: token, App: app.ID, Bot: bot.ID, Name: bot.Username})
	if err != nil {
		return nil, err
	}
	login := &transports.Login{User: transports.UserID(bot.ID), Name: bot.Username, Secret: secret}
	if l.previous != nil {
		login.ID = l.previous.ID
	}
	return login, nil
}

// application is what the developers' portal has of the bot.
type application struct {
	ID    string `json:"id"`
	Flags int    `json:"flags"`
}

func readApplication(ctx context.Context, api *rest.API) (app application, err error) {
	return app, rest.Classify(api.Call(ctx, rest.Get("/applications/@me"), &app))
}

// intentsOff names the privileged intents that are switched off, after Discord has refused them; all of them
// where that cannot be found out.
func (s *client) intentsOff(ctx context.Context) string {
	app, err := readApplication(ctx, s.api)
	if off := missingIntents(app.Flags); err == nil && off != "" {
		return off
	}
	return "one of " + missingIntents(0)
}

func missingIntents(flags int) string {
	var missing []string
	for _, i := range []struct {
		flags int
		name  string
	}{{flagPresence, "Presence Intent"}, {flagMembers, "Server Members Intent"}, {flagMessageContents, "Message Content Intent"}} {
		if flags&i.flags == 0 {
			missing = append(missing, i.name)
		}
	}
	return strings.Join(missing, ", ")
}

func intentHelp(missing string) string {
	return "the bot lacks what Discord calls " + missing + ": switch it on at discord.com/developers/applications → your application → Bot → Privileged Gateway Intents, then link again"
}
