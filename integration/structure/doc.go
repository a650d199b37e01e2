// Package structure holds tests of the code's shape: who may import whom (imports_test.go), which modules
// of others each package may use (modules_test.go), and how large packages, types, parameter lists and
// interfaces may grow (sizes_test.go). It has no code of its own.
//
// What does not follow the rules yet stands in exceptions.txt. An exception that is not needed any more
// fails the tests, so the list only shrinks.
package structure
