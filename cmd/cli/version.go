package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/dragoman-im/dragoman/core/server"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version, with the commit and its date", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "dragoman %s, %s %s/%s\n", server.ReadBuild(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
