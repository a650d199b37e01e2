package faultnet

import (
	"context"

	"github.com/dragoman-im/dragoman/transports"
)

// Logins implements transports.Network.
func (n *Network) LoginFlows() []transports.LoginFlow {
	return []transports.LoginFlow{{ID: "password", Name: "Name and password", Help: "Every password but “wrong” will do."}}
}

// StartLogin implements transports.Network.
func (n *Network) StartLogin(_ context.Context, request transports.LoginRequest) (transports.LoginProcess, error) {
	if request.Flow != "password" {
		return nil, transports.Refuse("item-not-found", "There is no such way to log in.", nil)
	}
	return &login{w: n.World, previous: request.Previous}, nil
}

// login asks for a name and a password, and for a code where the person has one.
type login struct {
	w        *World
	previous *transports.Login
	user     transports.UserInfo
	code     bool
}

// Next implements transports.Login.
func (l *login) Next(_ context.Context, answers map[string]string) (transports.Step, error) {
	switch {
	case answers == nil:
		step := transports.Step{Form: []transports.Field{{Key: "name", Label: "Name"}, {Key: "password", Label: "Password", Secret: true}}}
		if l.previous != nil {
			step.Form[0].Default = string(l.previous.User)
		}
		return step, nil
	case !l.code:
		user, err := l.w.user(transports.UserID(answers["name"]))
		if err != nil || answers["password"] == "wrong" {
			return transports.Step{}, transports.Refuse("not-authorized", "The name or the password is wrong.", nil)
		}
		if l.previous != nil && l.previous.User != user.ID {
			return transports.Step{}, transports.Refuse("not-acceptable", "This is somebody else.", nil)
		}
		l.user = user
		if l.w.Code != "" {
			l.code = true
			return transports.Step{Text: "A code was sent to you.", Form: []transports.Field{{Key: "code", Label: "Code"}}}, nil
		}
	case answers["code"] != l.w.Code:
		return transports.Step{}, transports.Refuse("not-authorized", "The code is wrong.", nil)
	}
	return transports.Step{Done: &transports.Login{
		User: l.user.ID, Name: l.user.Name + " at Echo", Secret: []byte(l.w.token(l.user.ID)),
	}}, nil
}

// Cancel implements transports.Login.
func (l *login) Cancel() {}
