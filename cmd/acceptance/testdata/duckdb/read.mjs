// Answers queries, one a line of standard input, with lines of JSON: the rows of each.
import { createInterface } from 'node:readline';
import { DuckDBInstance } from '@duckdb/node-api';

const connection = await (await DuckDBInstance.create(':memory:')).connect();
for await (const query of createInterface({ input: process.stdin })) {
  const reader = await connection.runAndReadAll(query);
  console.log(JSON.stringify(reader.getRowsJson()));
}
