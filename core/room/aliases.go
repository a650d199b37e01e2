package room

import (
	"github.com/dragoman-im/dragoman/core/room/history"
	"github.com/dragoman-im/dragoman/core/room/rules"
)

// The values of package rules.
type (
	Role            = rules.Role
	Affiliation     = rules.Affiliation
	Info            = rules.Info
	Config          = rules.Config
	Limits          = rules.Limits
	WhoIs           = rules.WhoIs
	PrivateMessages = rules.PrivateMessages
	Registration    = rules.Registration
)

// The values of package history.
type (
	History      = history.Source
	HistoryQuery = history.Query
	Entry        = history.Entry
	Ring         = history.Ring
)

// NewRing returns a ring of at most max messages and limit bytes.
func NewRing(max, limit int) *Ring { return history.NewRing(max, limit) }

// The roles, from the lowest to the highest.
const (
	RoleNone        = rules.RoleNone
	RoleVisitor     = rules.RoleVisitor
	RoleParticipant = rules.RoleParticipant
	RoleModerator   = rules.RoleModerator
)

// The affiliations, from the lowest to the highest.
const (
	AffOutcast = rules.AffOutcast
	AffNone    = rules.AffNone
	AffMember  = rules.AffMember
	AffAdmin   = rules.AffAdmin
	AffOwner   = rules.AffOwner
)

// The choices of the configuration.
const (
	WhoIsModerators       = rules.WhoIsModerators
	WhoIsAnyone           = rules.WhoIsAnyone
	PrivateByAnyone       = rules.PrivateByAnyone
	PrivateByParticipants = rules.PrivateByParticipants
	PrivateByModerators   = rules.PrivateByModerators
	PrivateByNone         = rules.PrivateByNone
	RegistrationClosed    = rules.RegistrationClosed
	RegistrationOpen      = rules.RegistrationOpen
	RegistrationApproved  = rules.RegistrationApproved
	DefaultHistory        = rules.DefaultHistory
)
