// Otlpread takes logs as OpenTelemetry's collectors do, by their receiver, and writes the
// attributes of each record to a file, as JSON lines.
//
//	otlpread ADDRESS FILE [CERTIFICATE KEY]
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "otlpread:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 && len(args) != 4 {
		return errors.New("want ADDRESS FILE [CERTIFICATE KEY]")
	}
	http := map[string]any{"endpoint": args[0]}
	if len(args) == 4 {
		http["tls"] = map[string]any{"cert_file": args[2], "key_file": args[3]}
	}
	file, err := os.Create(args[1])
	if err != nil {
		return err
	}
	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{"http": http}}).Unmarshal(config); err != nil {
		return err
	}
	var one sync.Mutex // at a time
	to, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
		one.Lock()
		defer one.Unlock()
		return write(json.NewEncoder(file), logs)
	})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	receiver, err := factory.CreateLogs(ctx, receivertest.NewNopSettings(factory.Type()), config, to)
	if err != nil {
		return err
	}
	if err := receiver.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	fmt.Println("ready")
	<-ctx.Done()
	return errors.Join(receiver.Shutdown(context.Background()), file.Close())
}

func write(to *json.Encoder, logs plog.Logs) error {
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				row := record.Attributes().AsRaw()
				row["event"], row["time"] = record.EventName(), int64(record.Timestamp())
				row["instance"], _ = resource.Resource().Attributes().AsRaw()["service.instance.id"]
				if err := to.Encode(row); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
