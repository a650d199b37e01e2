package admincommands

import (
	"context"
	"strings"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
)

// componentCommand lists the components of others. XEP-0133 has no such command.
func (c *Commands) componentCommand() command.Command {
	d := c.command(declared{"components-list", "List components", admin.SeeAccounts, listComponents, false})
	d.Node = "components-list"
	return d
}

func listComponents(_ context.Context, q request) (command.Step, error) {
	list, err := q.ListComponents(q.who)
	if err != nil {
		return command.Step{}, err
	}
	if len(list) == 0 {
		return done("The configuration has no components.")
	}
	lines := make([]string, len(list))
	for i, k := range list {
		lines[i] = k.Domain.String() + ": not connected"
		if len(k.Connections) > 0 {
			lines[i] = k.Domain.String() + ": connected from " + strings.Join(k.Connections, ", ")
		}
	}
	return q.results(form.Field{Var: "components", Type: form.TextMulti, Label: "The components", Values: lines})
}
