// Kafka is a cluster of brokers in one process, franz-go's kfake: they speak the protocol
// of Apache Kafka and are none. Topics are in a folder, so that the process can be killed.
//
//	kafka --ports PORT,... --data FOLDER [options] TOPIC...
//
// It prints "ready" when clients can come.
package main

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var (
	ports     = flag.String("ports", "", "listen on these `PORTS` of 127.0.0.1, a broker each")
	data      = flag.String("data", "", "keep topics in this `FOLDER`")
	most      = flag.String("message-max-bytes", "1048588", "take batches of so many `OCTETS`")
	user      = flag.String("user", "", "let in only `MECHANISM:NAME:PASSWORD`")
	cert      = flag.String("cert", "", "speak TLS, with a certificate and its key in this `FILE`")
	faults    = flag.String("faults", "", "answer each Nth request to produce with an error: `ERROR:N,...`")
	strangers = flag.Bool("strangers", false, "tell all who log in that they are not who they say, as brokers do; else the connection is closed")
	writeOnly = flag.String("may-write", "", "let the user write to this `TOPIC` only")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "kafka:", err)
		os.Exit(1)
	}
}

func run() error {
	options := []kfake.Opt{
		kfake.DataDir(*data), kfake.SyncWrites(), kfake.SeedTopics(3, flag.Args()...),
		kfake.BrokerConfigs(map[string]string{"message.max.bytes": *most}),
	}
	var listen []int
	for _, p := range strings.Split(*ports, ",") {
		n, err := strconv.Atoi(p)
		if err != nil {
			return err
		}
		listen = append(listen, n)
	}
	options = append(options, kfake.Ports(listen...))
	if *user != "" {
		who := strings.Split(*user, ":")
		if len(who) != 3 {
			return errors.New("user: want MECHANISM:NAME:PASSWORD")
		}
		options = append(options, kfake.EnableSASL())
		if *writeOnly == "" {
			options = append(options, kfake.Superuser(who[0], who[1], who[2]))
		} else {
			options = append(options, kfake.EnableACLs(), kfake.User(who[0], who[1], who[2], rights(*writeOnly)...))
		}
	}
	if *cert != "" {
		pair, err := tls.LoadX509KeyPair(*cert, *cert)
		if err != nil {
			return err
		}
		options = append(options, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}}))
	}
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		return err
	}
	defer cluster.Close()
	if err := addFaults(cluster, *faults); err != nil {
		return err
	}
	if *strangers {
		cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.SASLAuthenticate}, TopLevel: true, Err: kerr.SaslAuthenticationFailed, Count: -1})
	}
	fmt.Println("ready")
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
	return nil
}

// rights are those to write to a topic.
func rights(topic string) []kfake.ACL {
	return []kfake.ACL{{Resource: kmsg.ACLResourceTypeTopic, Name: topic, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: kmsg.ACLOperationWrite, Allow: true}}
}

// addFaults has each Nth request to produce fail.
func addFaults(cluster *kfake.Cluster, list string) error {
	for _, f := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		name, every, _ := strings.Cut(f, ":")
		n, err := strconv.Atoi(every)
		if err != nil || n < 1 {
			return fmt.Errorf("faults: %s: want ERROR:N", f)
		}
		number, requests := int16(0), 0
		for code := int16(1); code < 200 && number == 0; code++ {
			if e, ok := kerr.ErrorForCode(code).(*kerr.Error); ok && e.Message == name {
				number = code
			}
		}
		if number == 0 {
			return fmt.Errorf("faults: there is no error %s", name)
		}
		cluster.Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.ErrorForCode(number).(*kerr.Error), Count: -1,
			When: func(kmsg.Request) bool { requests++; return requests%n == 0 },
		})
	}
	return nil
}
