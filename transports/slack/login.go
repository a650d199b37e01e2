package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/slack/webapi"
)

// LoginFlows lists the one flow: the tokens of a self-made app.
func (n *Network) LoginFlows() []transports.LoginFlow {
	return []transports.LoginFlow{{
		ID: "tokens", Name: "Paste the tokens of a Slack app",
		Help: "Make an app for your workspace at api.slack.com/apps from the manifest in our README, install it, and copy its tokens.",
	}}
}

// StartLogin begins to link or relink a login.
func (n *Network) StartLogin(_ context.Context, request transports.LoginRequest) (transports.LoginProcess, error) {
	if request.Flow != "tokens" {
		return nil, transports.Refuse("item-not-found", "there is no such login flow", nil)
	}
	return &login{n: n, previous: request.Previous}, nil
}

type login struct {
	n        *Network
	previous *transports.Login
}

// Cancel has nothing to free.
func (l *login) Cancel() {}

// Next asks for the tokens, then tries them.
func (l *login) Next(ctx context.Context, answers map[string]string) (transports.Step, error) {
	if answers == nil {
		return transports.Step{
			Text: "The tokens of your Slack app. The first two are required; with the third one you write as yourself and see your direct messages, without it the app's bot speaks for you.",
			Form: []transports.Field{
				{Key: "app", Label: "App-level token (xapp-…)", Help: "Basic Information → App-Level Tokens, with the scope connections:write", Secret: true},
				{Key: "bot", Label: "Bot token (xoxb-…)", Help: "OAuth & Permissions → Bot User OAuth Token", Secret: true},
				{Key: "user", Label: "User token (xoxp-…)", Help: "OAuth & Permissions → User OAuth Token", Secret: true, Optional: true},
			},
		}, nil
	}
	c := credentials{
		App: strings.TrimSpace(answers["app"]), Bot: strings.TrimSpace(answers["bot"]), User: strings.TrimSpace(answers["user"]),
	}
	login, err := l.try(ctx, &c)
	if err != nil {
		return transports.Step{}, err
	}
	return transports.Step{Text: "Linked: " + login.Name, Done: login}, nil
}

// Verify implements transports.LoginVerifier: it looks at a token and asks Slack whether it is good.
func (l *login) Verify(ctx context.Context, key, answer string) error {
	kind, token := tokenKind(key), strings.TrimSpace(answer)
	if err := kind.check(token); err != nil || kind == appKind { // of an app-level token Slack only says whether a socket can be had
		return err
	}
	if _, _, err := l.whose(ctx, token); err != nil {
		return kind.refused(classify(err))
	}
	return nil
}

// identity is whom a token belongs to.
type identity struct {
	TeamID string `json:"team_id"`
	Team   string `json:"team"`
	UserID string `json:"user_id"`
	User   string `json:"user"`
	BotID  string `json:"bot_id"`
}

// whose asks whom a token belongs to.
func (l *login) whose(ctx context.Context, token string) (who identity, header http.Header, err error) {
	header, err = l.n.api(token).Call(ctx, "auth.test", nil, &who)
	if err == nil && (who.TeamID == "" || who.UserID == "") {
		err = fmt.Errorf("auth.test: %w", webapi.ErrNonsense)
	}
	return who, header, err
}

// try finds out whose tokens these are, and that they work.
func (l *login) try(ctx context.Context, c *credentials) (*transports.Login, error) {
	for _, t := range []struct {
		kind  tokenKind
		token string
	}{{appKind, c.App}, {botKind, c.Bot}, {userKind, c.User}} {
		if t.token == "" && t.kind == userKind {
			continue
		}
		if err := t.kind.check(t.token); err != nil {
			return nil, err
		}
	}
	bot, header, err := l.whose(ctx, c.Bot)
	if err != nil {
		return nil, botKind.refused(classify(err))
	}
	c.Team, c.TeamName, c.BotUser, c.BotID, c.Self = bot.TeamID, bot.Team, bot.UserID, bot.BotID, bot.UserID
	name := bot.User
	if c.User != "" {
		var person identity
		person, header, err = l.whose(ctx, c.User)
		if err != nil {
			return nil, userKind.refused(classify(err))
		}
		if person.TeamID != c.Team {
			return nil, userKind.wrong("is of another workspace than the bot token", nil)
		}
		c.Self, name = person.UserID, person.User
	}
	if vital, other := missingScopes(header, c.kind()); len(vital) > 0 {
		return nil, c.kind().wrong("does not do yet: "+scopeHelp(c.scopeList(), strings.Join(append(vital, other...), ",")), nil)
	}
	if _, _, err := l.n.sockets(c.App).StartSocketModeContext(ctx); err != nil {
		return nil, appKind.refused(socketError(err))
	}
	login := &transports.Login{User: userID(c.Team, c.Self), Name: name + " at " + c.TeamName}
	if l.previous != nil {
		if l.previous.User != login.User {
			return nil, transports.Refuse("not-acceptable", "these tokens are of another account ("+login.Name+"): link that one anew instead", nil)
		}
		login.ID = l.previous.ID
	}
	login.Secret, err = json.Marshal(c)
	return login, err
}
